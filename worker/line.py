"""The line in which orders wait for their turn: the oldest one whose locks are free goes first.

Nobody overtakes on the same lock: an order that waits bars all its locks for those behind it. An
order half done goes before those that have not begun.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from contract.instant import now_ms
from contract.template import TemplateError, render
from worker.deadline import deadline_of
from worker.gate import Gate
from worker.ledger import Entry, Ledger
from worker.lock import UNNAMED, LockBusyError, take
from worker.proc import boot_clock, boot_id
from worker.verdict import Accepted, Reason, Refused


@dataclass(frozen=True, slots=True)
class Turn:
    """An order whose turn it is."""

    entry: Entry
    held: tuple[int, ...] = ()  # descriptors of its locks; whoever takes the turn releases them
    refused: Refused | None = None  # why it must end without having begun


@dataclass(frozen=True, slots=True)
class _Needs:
    """What of an order decides about its turn."""

    resources: frozenset[str]
    timeout: timedelta
    expires_at: int  # ms since 1970


class Line:
    """Whose turn it is among the orders of the ledger."""

    def __init__(
        self, gate: Gate, ledger: Ledger, locks: Path, tell: Callable[[Entry, str], None]
    ) -> None:
        """Find lock files in `locks`; `tell` is called once for each order that has to wait."""
        self._gate = gate
        self._ledger = ledger
        self._locks = locks
        self._tell = tell
        self._needs: dict[str, _Needs] = {}  # by run id
        self._waiting: set[str] = set()  # run ids

    @property
    def is_waiting(self) -> bool:
        """Tell whether the last look found somebody who waits for a lock."""
        return bool(self._waiting)

    def next(self) -> Turn | None:
        """Return the order whose turn it is, with its locks held, or None."""
        # A full disk may keep what was taken back from ending, and would not from beginning.
        buried = {entry.run_id for entry in self._ledger.taken_back()}
        waiting = [entry for entry in self._ledger.open_orders() if entry.run_id not in buried]
        entries = sorted(waiting, key=lambda entry: entry.started_at is None)
        self._forget_all_but({entry.run_id for entry in entries})
        barred: set[str] = set()
        for entry in entries:
            try:
                needs = self._needs_of(entry)
            except Refused:  # it ends without having done anything, and needs no lock for that
                return Turn(entry)
            try:
                return Turn(entry, self._take(needs, barred))
            except LockBusyError as busy:
                if turn := self._ending(entry, needs, str(busy)):
                    return turn
                self._wait(entry, str(busy))
                barred |= needs.resources
        return None

    def _forget_all_but(self, run_ids: set[str]) -> None:
        self._needs = {run_id: n for run_id, n in self._needs.items() if run_id in run_ids}
        self._waiting &= run_ids

    def _needs_of(self, entry: Entry) -> _Needs:
        if entry.run_id not in self._needs:
            accepted = self._gate.reopen(entry.letter)
            expires_at = accepted.order.expires_at
            needs = _Needs(_resources(accepted), accepted.runbook.timeout, expires_at)
            self._needs[entry.run_id] = needs
        return self._needs[entry.run_id]

    def _take(self, needs: _Needs, barred: set[str]) -> tuple[int, ...]:
        if before := sorted(needs.resources & barred):
            raise LockBusyError(f"the lock {before[0]!r} is wanted by an order before it")
        return take(self._locks, needs.resources)

    def _ending(self, entry: Entry, needs: _Needs, why: str) -> Turn | None:
        """Return a turn for an order that has waited too long: it ends, and touches nothing."""
        if entry.started_at is None:
            if now_ms() < needs.expires_at:
                return None
            detail = f"it expired while it waited its turn: {why}"
            return Turn(entry, refused=Refused(Reason.EXPIRED, detail, entry.run_id))
        if boot_clock() < deadline_of(entry, needs.timeout):
            return None
        # For certain, also if somebody sets the wall clock back: it looks, and acts no more.
        return Turn(replace(entry, boot_id=boot_id(), boot_time=-math.inf))

    def _wait(self, entry: Entry, why: str) -> None:
        if entry.run_id not in self._waiting:
            self._waiting.add(entry.run_id)
            self._tell(entry, why)


def _resources(accepted: Accepted) -> frozenset[str]:
    """Return what an order locks; what changes something without a name, locks all of its kind."""
    runbook = accepted.runbook
    try:
        named = frozenset(str(render(lock, accepted.texts)) for lock in runbook.locks) - {""}
    except TemplateError as error:
        raise Refused(Reason.BAD_PARAMETER, str(error), accepted.order.run_id) from None
    return named or frozenset({UNNAMED} if runbook.changes else ())
