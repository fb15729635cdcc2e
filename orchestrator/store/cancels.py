"""Tombstones: stored for each open host run of a run, by one transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from contract.outcome import HostRunState
from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database
from orchestrator.store.record import HostRun, NewCancel
from orchestrator.store.runs import to_host_run
from orchestrator.store.schema import host_runs


class Cancels:
    """Writes tombstones."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, cancels: Sequence[NewCancel]) -> list[HostRun]:
        """Store tombstones, except for what has ended meanwhile; return the host runs after it.

        An order that the dispatcher has never offered to its host ends as cancelled here and
        now. The others wait for their hosts' word, and their orders are published no more.
        """
        with self._database.writing(rings=True) as connection:
            return [_bury(connection, cancel) for cancel in cancels]


def _bury(connection: Connection, cancel: NewCancel) -> HostRun:
    letter = cancel.letter
    key = (host_runs.c.run_id == letter.run_id) & (host_runs.c.host == letter.host)
    query = select(host_runs).where(key)
    before = to_host_run(connection.execute(query.with_for_update()).mappings().one())
    if before.ended:
        return before
    letters.append(connection, [letter])
    values = _unsent(cancel) if before.offered_at is None else _waiting(cancel)
    connection.execute(update(host_runs).where(key).values(**_tombstone(cancel), **values))
    return to_host_run(connection.execute(query).mappings().one())


def _tombstone(cancel: NewCancel) -> dict[str, Any]:
    return {
        "cancel_sha256": cancel.letter.digest,
        "cancel_kill": cancel.kill,
        "cancel_until": cancel.until,
        "cancel_answered_at": None,
    }


def _unsent(cancel: NewCancel) -> dict[str, Any]:
    reason = f"{cancel.why} (its order was never sent)"
    ended = {"ended_at": cancel.letter.at, "reason": reason}
    return {"state": HostRunState.CANCELLED.value, **ended}


def _waiting(cancel: NewCancel) -> dict[str, Any]:
    due = {"publishes": 0, "pause_ms": 0, "next_publish_at": cancel.letter.at}
    return {"reason": f"being {cancel.why}", **due}
