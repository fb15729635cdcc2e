"""One trial: orders are submitted, a fault strikes at a random moment and is healed, all ends."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from contract.loader import load_runbook
from orchestrator.audit import verify_all
from orchestrator.home import Home
from orchestrator.store.store import Store
from orchestrator.submission import DEFAULT_EXPIRY, Submission, submit
from tests.campaign import effect
from tests.campaign.effect import Witness
from tests.campaign.fault import Blow, Fault
from tests.campaign.fault_fleet import FaultFleet
from tests.campaign.fault_laws import HostView, Order, judge

SETTLED_WITHIN_S = 150.0
_LOOK_S = 0.1
_RUNBOOKS = {
    policy: load_runbook(effect.runbook(policy), "effect.yaml") for policy in ("rerun", "unknown")
}


class Ground:
    """A running fleet with its witnesses and its store: where trials are made."""

    def __init__(self, fleet: FaultFleet, store: Store) -> None:
        """Put the counting program on every host."""
        self.fleet = fleet
        self.home = Home.open(fleet.home)
        self.store = store
        self.views = {n: HostView(host, Witness(host)) for n, host in fleet.hosts.items()}
        self._key = self.home.operator_key()

    @classmethod
    @contextmanager
    def of(cls, fleet: FaultFleet) -> Iterator["Ground"]:
        """Open the store of a running fleet for a while."""
        with Home.open(fleet.home).open_store() as store:
            yield cls(fleet, store)

    def submit(self, policy: str, hosts: list[str], pause: float, expires_in: timedelta) -> str:
        """Submit one run and return its id."""
        submission = Submission(
            runbook=_RUNBOOKS[policy],
            source="effect.yaml",
            hosts=[host for host in self.store.hosts.all() if host.name in hosts],
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


@dataclass(slots=True)
class Trial:
    """One fault and some orders; the same dice make the same plan."""

    ground: Ground
    fault: Fault
    random: Random
    orders: list[Order] = field(default_factory=list)
    expiries: dict[str, float] = field(default_factory=dict)
    struck_for_s: float = 0.0

    def run(self) -> list[str]:
        """Do as planned, wait until all is at its end, and return the laws that are broken."""
        logs = {name: self._log_size(name) for name in self.ground.views}
        for at, act in sorted(self._plan(), key=lambda planned: planned[0]):
            time.sleep(max(at - time.monotonic(), 0))
            act()
        if waiting := self._await_settled():
            return [f"not at its end after {SETTLED_WITHIN_S:g} s: {'; '.join(waiting)}"]
        return [*self._judge(), *self._audit(), *self._broken(logs)]

    def _plan(self) -> list[tuple[float, Callable[[], None]]]:
        begin, dice = time.monotonic(), self.random
        plan = [(begin + dice.uniform(0, 1), self._submission()) for _ in range(dice.randint(1, 3))]
        struck, lasts = begin + dice.uniform(0, 1.2), dice.uniform(0.2, 3)
        heals: list[Callable[[], None]] = []

        def strike() -> None:
            heals.append(self.fault.strike(Blow(self.ground.fleet, dice)))

        def heal() -> None:
            heals.pop()()
            self.struck_for_s = time.monotonic() - struck

        after = (struck + lasts + 0.01, self._submission())  # the next order must be served
        return [*plan, (struck, strike), (struck + lasts, heal), after]

    def _submission(self) -> Callable[[], None]:
        dice, names = self.random, list(self.ground.views)
        hosts = dice.sample(names, dice.randint(1, len(names)))
        policy, pause = dice.choice(("rerun", "unknown")), dice.choice((0, 0.1, 0.4, 1))
        is_brief = dice.random() < 0.2  # one order in five
        expires_in = timedelta(seconds=dice.randint(2, 5)) if is_brief else DEFAULT_EXPIRY

        def act() -> None:
            expiry = time.time() + expires_in.total_seconds()
            run_id = self.ground.submit(policy, hosts, pause, expires_in)
            self.expiries[run_id] = expiry
            self.orders += [Order(run_id, host, policy == "rerun") for host in hosts]

        return act

    def _await_settled(self) -> list[str]:
        until = time.monotonic() + SETTLED_WITHIN_S
        while (waiting := self.ground.unsettled(self.orders)) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        return waiting

    def _judge(self) -> Iterator[str]:
        for order in self.orders:
            told = self.ground.store.runs.host_run(order.run_id, order.host)
            latest = self.expiries[order.run_id] + self.struck_for_s + 2
            if told is None:
                yield f"{order.run_id} on {order.host} is lost"
            else:
                yield from judge(order, told, self.ground.views[order.host], latest)

    def _audit(self) -> Iterator[str]:
        for finding in verify_all(self.ground.store, self.ground.home.load_trust()).findings:
            yield f"the audit finds {finding}"

    def _broken(self, offsets: dict[str, int]) -> Iterator[str]:
        for name, view in self.ground.views.items():
            yield from view.broken(offsets[name])

    def _log_size(self, name: str) -> int:
        return (self.ground.fleet.hosts[name].directory / "worker.log").stat().st_size
