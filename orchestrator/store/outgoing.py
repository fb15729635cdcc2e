"""What the dispatcher works on: letters that are due, and host runs whose time ran out."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, select, update

from contract.outcome import HostRunState
from orchestrator.store.database import Database
from orchestrator.store.record import Kind, Letter
from orchestrator.store.schema import envelopes, host_runs, hosts, pings

_EXPIRED = "no host answered before the order expired"
_EXPIRED_WAITING = "it expired before enough people had approved it, and was never sent"
_EXPIRED_CANCELLING = "no host answered before the order expired; it was "
_MAY_HAVE_THE_ORDER = (
    *(HostRunState.QUEUED.value, HostRunState.DELIVERED.value, HostRunState.RUNNING.value),
    *(HostRunState.EXPIRED.value, HostRunState.UNKNOWN.value),
)
_SILENT = "the host accepted the order, but its report did not come in time"


class Outgoing:
    """Reads due letters, notes what was published, and ends what nobody answered."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def orders(self, now: int, limit: int) -> list[Letter]:
        """Return what is due to hosts that are still in the inventory: orders, or their tombstones.

        That a host may have an order is written down before it gets out: who cancels one that
        was never offered knows that nobody will run it.
        """
        query = _due(now).limit(limit)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        if any(row.offered_at is None for row in found):
            with self._database.writing() as connection:
                found = connection.execute(query.with_for_update(of=host_runs)).all()
                _offer(connection, [(row.run_id, row.host) for row in found], now)
        return [
            Letter(
                key=(row.run_id, row.host),
                host=row.host,
                data=row.data,
                publishes=row.publishes,
                pause_ms=row.pause_ms,
                digest=row.digest,
                overtakes=row.kind == Kind.CANCEL,
            )
            for row in found
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
        """Note how often orders were published and when they are due again.

        Not if the order was cancelled in between: then its tombstone is due.
        """
        if not letters:
            return
        due = func.coalesce(host_runs.c.cancel_sha256, host_runs.c.order_sha256)
        query = (
            update(host_runs)
            .where(host_runs.c.run_id == bindparam("of_run"), host_runs.c.host == bindparam("of"))
            .where(due == bindparam("sent"))
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
                        "sent": letter.digest,
                        "count": letter.publishes,
                        "pause": letter.pause_ms,
                        "due": now + letter.pause_ms,
                    }
                    for letter in letters
                ],
            )

    def pings_posted(self, letters: Sequence[Letter], now: int) -> None:
        """Note how often pings were published and when they are due again."""
        if not letters:
            return
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
                .values(
                    state=HostRunState.EXPIRED.value,
                    ended_at=now,
                    reason=case(
                        (columns.cancel_sha256.is_not(None), _EXPIRED_CANCELLING + columns.reason),
                        (columns.awaits > 0, _EXPIRED_WAITING),
                        else_=_EXPIRED,
                    ),
                )
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


def _due(now: int) -> Select[Any]:
    """Return the query for due letters: an order until it is answered, or what takes it back.

    A host that was enrolled anew is not sent what its former self was asked. A tombstone goes out
    also when we have ceased to wait: the host may have the order still.
    """
    columns = host_runs.c
    sent = envelopes.c.digest == func.coalesce(columns.cancel_sha256, columns.order_sha256)
    is_approved = columns.awaits == 0
    is_wanted = (columns.state == HostRunState.QUEUED.value) & (columns.expires_at > now)
    is_unanswered = columns.cancel_answered_at.is_(None) & columns.reported_at.is_(None)
    is_member = (hosts.c.name == columns.host) & (hosts.c.epoch == columns.epoch)
    may_have_it = columns.state.in_(_MAY_HAVE_THE_ORDER) & (columns.cancel_until > now)
    return (
        select(
            *(columns.run_id, columns.host, columns.offered_at),
            *(envelopes.c.kind, envelopes.c.digest, envelopes.c.data),
            *(columns.publishes, columns.pause_ms),
        )
        .select_from(host_runs.join(envelopes, sent).join(hosts, is_member))
        .where(columns.next_publish_at <= now)
        .where(
            case(
                (columns.cancel_sha256.is_(None), is_wanted & is_approved),
                else_=is_unanswered & may_have_it,
            )
        )
        .order_by(columns.next_publish_at)
    )


def _offer(connection: Connection, keys: Sequence[tuple[str, str]], now: int) -> None:
    query = (
        update(host_runs)
        .where(host_runs.c.run_id == bindparam("of_run"), host_runs.c.host == bindparam("of"))
        .where(host_runs.c.offered_at.is_(None))
        .values(offered_at=now)
    )
    if keys:
        connection.execute(query, [{"of_run": run_id, "of": host} for run_id, host in keys])
