"""Approvals: orders with one more signature, each stored beside the one before it."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from contract.outcome import HostRunState
from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database
from orchestrator.store.record import HostRun, NewApproval
from orchestrator.store.runs import to_host_run
from orchestrator.store.schema import host_runs


class Approvals:
    """Writes approvals."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, approvals: Sequence[NewApproval]) -> list[HostRun]:
        """Store approvals, except where the host run has moved on meanwhile; return those taken.

        What now has enough of them is sent with its next turn by the dispatcher.
        """
        with self._database.writing(rings=True) as connection:
            taken = [_approve(connection, approval) for approval in approvals]
        return [host_run for host_run in taken if host_run is not None]


def _approve(connection: Connection, approval: NewApproval) -> HostRun | None:
    letter = approval.letter
    key = (host_runs.c.run_id == letter.run_id) & (host_runs.c.host == letter.host)
    query = select(host_runs).where(key)
    before = to_host_run(connection.execute(query.with_for_update()).mappings().one())
    is_same = before.order_sha256 == approval.of and before.state is HostRunState.QUEUED
    if not is_same or not before.awaiting or before.expires_at <= letter.at:
        return None
    letters.append(connection, [letter])
    values = {"order_sha256": letter.digest, "awaits": approval.awaits}
    due = {"next_publish_at": letter.at}
    connection.execute(update(host_runs).where(key).values(**values, **due))
    return to_host_run(connection.execute(query).mappings().one())
