"""The ground of an attempt: a running fleet whose hosts count what they do, and its store."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from contract.loader import load_runbook
from lab.fleet import Fleet
from orchestrator.home import Home
from orchestrator.store.store import Store
from orchestrator.submission import Submission, submit
from tests.campaign.faults import effect
from tests.campaign.faults.effect import Witness
from tests.campaign.faults.laws import HostView, Order

_RUNBOOKS = {
    policy: load_runbook(effect.runbook(policy), "effect.yaml") for policy in ("rerun", "unknown")
}


class Ground:
    """A running fleet with its witnesses and its store: where trials are made."""

    def __init__(self, fleet: Fleet, store: Store) -> None:
        """Put the counting program on every host."""
        self.home = Home.open(fleet.home)
        self.store = store
        self.views = {n: HostView(host, Witness(host)) for n, host in fleet.hosts.items()}
        self._key = self.home.operator_key()

    @classmethod
    @contextmanager
    def of(cls, fleet: Fleet) -> Iterator["Ground"]:
        """Open the store of a running fleet for a while."""
        with Home.open(fleet.home).open_store() as store:
            yield cls(fleet, store)

    def submit(self, policy: str, hosts: list[str], pause: float, expires_in: timedelta) -> str:
        """Submit one run and return its id."""
        submission = Submission(
            runbook=_RUNBOOKS[policy],
            source="effect.yaml",
            hosts=[host for host in self.store.hosts.targets() if host.name in hosts],
            operator=self.home.operator,
            params={"pause": str(pause)},
            expires_in=expires_in,
        )
        return submit(submission, self._key, self.store).run_id

    def unsettled(self, orders: list[Order]) -> list[str]:
        """Say what is not at its end: host runs, ledgers, reports without acknowledgement."""
        waiting = []
        for order in orders:
            told = self.store.runs.host_run(order.run_id, order.host)
            if told is None or not told.ended:
                waiting.append(f"{order.host}: {order.run_id} is {told and told.state}")
        return waiting + [text for view in self.views.values() for text in view.unsettled()]
