"""What the dispatcher works on: letters that are due, and host runs whose time ran out."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, select, update

from contract.outcome import HostRunState
from orchestrator.store.database import Database
from orchestrator.store.record import Letter
from orchestrator.store.schema import envelopes, host_runs, hosts, pings

_EXPIRED = "no host answered before the order expired"
_SILENT = "the host accepted the order, but its report did not come in time"


class Outgoing:
    """Reads due letters, notes what was published, and ends what nobody answered."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def orders(self, now: int, limit: int) -> list[Letter]:
        """Return orders that are due, to hosts that are still in the inventory."""
        due = host_runs.join(envelopes, envelopes.c.digest == host_runs.c.order_sha256)
        due = due.join(hosts, hosts.c.name == host_runs.c.host)
        columns = host_runs.c
        query = (
            select(
                columns.run_id, columns.host, envelopes.c.data, columns.publishes, columns.pause_ms
            )
            .select_from(due)
            .where(columns.state == HostRunState.QUEUED.value)
            .where(columns.next_publish_at <= now, columns.expires_at > now)
            .order_by(columns.next_publish_at)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query)
            return [
                Letter(key=(run_id, host), host=host, data=data, publishes=count, pause_ms=pause)
                for run_id, host, data, count, pause in rows
            ]

    def pings(self, now: int, limit: int) -> list[Letter]:
        """Return pings that are due."""
        due = pings.join(envelopes, envelopes.c.digest == pings.c.digest)
        columns = pings.c
        query = (
            select(columns.nonce, columns.host, envelopes.c.data, columns.publishes)
            .select_from(due)
            .where(columns.ponged_at.is_(None))
            .where(columns.next_publish_at <= now, columns.expires_at > now)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [
                Letter(key=(nonce,), host=host, data=data, publishes=count, pause_ms=0)
                for nonce, host, data, count in connection.execute(query)
            ]

    def orders_posted(self, letters: Sequence[Letter], now: int) -> None:
        """Note how often orders were published and when they are due again."""
        if not letters:
            return
        query = (
            update(host_runs)
            .where(host_runs.c.run_id == bindparam("of_run"), host_runs.c.host == bindparam("of"))
            .values(
                publishes=bindparam("count"),
                pause_ms=bindparam("pause"),
                next_publish_at=bindparam("due"),
            )
        )
        with self._database.writing() as connection:
            connection.execute(
                query,
                [
                    {
                        "of_run": letter.key[0],
                        "of": letter.host,
                        "count": letter.publishes,
                        "pause": letter.pause_ms,
                        "due": now + letter.pause_ms,
                    }
                    for letter in letters
                ],
            )

    def pings_posted(self, letters: Sequence[Letter], now: int) -> None:
        """Note how often pings were published and when they are due again."""
        with self._database.writing() as connection:
            for letter in letters:
                values = {"publishes": letter.publishes, "next_publish_at": now + letter.pause_ms}
                query = update(pings).where(pings.c.nonce == letter.key[0])
                connection.execute(query.values(**values))

    def end_overdue(self, now: int) -> int:
        """End host runs that nobody took, or that were taken and never reported; count them."""
        columns = host_runs.c
        untaken = (columns.state == HostRunState.QUEUED.value) & (columns.expires_at <= now)
        taken = columns.state.in_([HostRunState.DELIVERED.value, HostRunState.RUNNING.value])
        silent = taken & (columns.deadline_at <= now)
        if not self._any(untaken | silent):
            return 0
        with self._database.writing() as connection:
            ended = connection.execute(
                update(host_runs)
                .where(untaken)
                .values(state=HostRunState.EXPIRED.value, ended_at=now, reason=_EXPIRED)
            ).rowcount
            ended += connection.execute(
                update(host_runs)
                .where(silent)
                .values(state=HostRunState.UNKNOWN.value, ended_at=now, reason=_SILENT)
            ).rowcount
        return ended

    def _any(self, condition: ColumnElement[bool]) -> bool:
        # A look costs no lock; most of the time there is nothing to end.
        with self._database.reading() as connection:
            query = select(host_runs.c.run_id).where(condition).limit(1)
            return connection.execute(query).first() is not None
