"""What must hold after a fault, whatever it was: read from the hosts' files and the store."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from contract.outcome import HostRunState
from lab.fleet import FleetHost
from orchestrator.store.record import HostRun
from tests.campaign.faults.effect import Witness

_BROKEN = ("Traceback", '"event": "run_broke"', '"event": "sender_broke"', '"letter_dropped"')


@dataclass(frozen=True, slots=True)
class Order:
    """One host's share of what was submitted, and how it was to behave when interrupted."""

    run_id: str
    host: str
    may_repeat: bool


@dataclass(frozen=True, slots=True)
class HostView:
    """One host's own files: its ledger and its witness."""

    host: FleetHost
    witness: Witness

    def orders(self) -> Mapping[str, str]:
        """Return the state of each order in the ledger by its run id."""
        return dict(self._rows("SELECT run_id, state FROM orders"))

    def unsettled(self) -> Iterator[str]:
        """Say what the host is still at."""
        for run_id, state in self.orders().items():
            if state != "ended":
                yield f"{self.host.name}: {run_id} is {state} in the ledger"
        for (run_id,) in self._rows("SELECT run_id FROM outbox WHERE NOT acknowledged"):
            yield f"{self.host.name}: the report on {run_id} is not acknowledged"

    def broken(self, offset: int) -> Iterator[str]:
        """Say what the worker's log, from an offset on, tells of its own mistakes."""
        with (self.host.directory / "worker.log").open("rb") as log:
            log.seek(offset)
            for line in log.read().decode(errors="replace").splitlines():
                if any(mark in line for mark in _BROKEN):
                    yield f"{self.host.name} broke: {line[:300]}"

    def _rows(self, query: str) -> list[Any]:
        path = self.host.directory / "state" / "ledger.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as ledger:
            return list(ledger.execute(query))


def judge(order: Order, told: HostRun, view: HostView, latest: float) -> Iterator[str]:
    """Compare what a host run's end tells with what was done; yield each law that is broken.

    No order may begin after `latest`, in seconds since 1970. One that was interrupted had begun in
    time, and may be finished later.
    """
    effects = view.witness.effects().get(order.run_id, [])
    accepted = order.run_id in view.orders()
    what = f"{order.run_id} on {order.host} ({told.state}, {told.outcome}, {len(effects)} effects)"
    rules = {
        "was accepted and never reported": accepted and told.reported_at is None,
        "took effect and was not accepted": bool(effects) and not accepted,
        "took effect twice and may not": len(effects) > 1 and not order.may_repeat,
        "took effect twice and does not say so": len(effects) > 1 and not _says_interrupted(told),
        "succeeded without effect": told.state is HostRunState.SUCCEEDED and not effects,
        "took effect after its expiry": _is_late(effects, latest) and not _says_interrupted(told),
    }
    for sentence, is_broken in rules.items():
        if is_broken:
            yield f"{what} {sentence}"


def _is_late(effects: list[int], latest: float) -> bool:
    return bool(effects) and min(effects) > latest


def _says_interrupted(told: HostRun) -> bool:
    report = told.read_report()
    steps = [step for each in report.passes for step in each.steps] if report else []
    return told.state is HostRunState.UNKNOWN or any(step.interrupted for step in steps)
