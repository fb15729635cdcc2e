"""What the dispatcher works on: letters that are due, and host runs whose time ran out.

It asks several times a second: each statement is spelled once and takes its values by name.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Update, bindparam, case, func, select, update

from contract.outcome import HostRunState
from orchestrator.store.database import Database
from orchestrator.store.many import Many, update_many
from orchestrator.store.record import Kind, Letter
from orchestrator.store.schema import envelopes, host_runs, hosts, pings

_EXPIRED = "no host answered before the order expired"
_EXPIRED_WAITING = "it expired before enough people had approved it, and was never sent"
_EXPIRED_CANCELLING = "no host answered before the order expired; it was "
_MAY_HAVE_THE_ORDER = (
    *(HostRunState.QUEUED.value, HostRunState.DELIVERED.value, HostRunState.RUNNING.value),
    *(HostRunState.EXPIRED.value, HostRunState.UNKNOWN.value),
)
_TAKEN = (HostRunState.DELIVERED.value, HostRunState.RUNNING.value)
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
        values = {"now": now, "most": limit}
        # A look costs no lock; most of the time nothing is due.
        with self._database.reading() as connection:
            if connection.execute(_ANY_DUE, {**values, "most": 1}).first() is None:
                return []
        with self._database.writing() as connection:
            found = connection.execute(_DUE, values).all()
            fresh = [(row.run_id, row.host) for row in found if row.offered_at is None]
            _offer(connection, fresh, now)
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
        with self._database.reading() as connection:
            return [
                Letter(key=(nonce,), host=host, data=data, publishes=count, pause_ms=0)
                for nonce, host, data, count in connection.execute(
                    _PINGS_DUE, {"now": now, "most": limit}
                )
            ]

    def orders_posted(self, letters: Sequence[Letter], now: int) -> None:
        """Note how often orders were published and when they are due again.

        Not if the order was cancelled in between: then its tombstone is due.
        """
        if not letters:
            return
        with self._database.writing() as connection:
            _ORDER_POSTED.execute(
                connection,
                [
                    {
                        "run_id": letter.key[0],
                        "host": letter.host,
                        "digest": letter.digest,
                        "publishes": letter.publishes,
                        "pause_ms": letter.pause_ms,
                        "next_publish_at": now + letter.pause_ms,
                    }
                    for letter in letters
                ],
            )

    def pings_posted(self, letters: Sequence[Letter], now: int) -> None:
        """Note how often pings were published and when they are due again."""
        if not letters:
            return
        with self._database.writing() as connection:
            _PING_POSTED.execute(
                connection,
                [
                    {
                        "nonce": letter.key[0],
                        "publishes": letter.publishes,
                        "next_publish_at": now + letter.pause_ms,
                    }
                    for letter in letters
                ],
            )

    def end_overdue(self, now: int) -> int:
        """End host runs that nobody took, or that were taken and never reported; count them."""
        values = {"now": now}
        # A look costs no lock; most of the time there is nothing to end.
        with self._database.reading() as connection:
            if connection.execute(_ANY_OVERDUE, values).first() is None:
                return 0
        with self._database.writing() as connection:
            ended = connection.execute(_END_UNTAKEN, values).rowcount
            return ended + connection.execute(_END_SILENT, values).rowcount


def _due() -> Select[Any]:
    """Return the query for due letters: an order until it is answered, or what takes it back.

    A host that was enrolled anew is not sent what its former self was asked. A tombstone goes out
    also when we have ceased to wait: the host may have the order still.
    """
    columns = host_runs.c
    sent = envelopes.c.digest == func.coalesce(columns.cancel_sha256, columns.order_sha256)
    is_approved = columns.awaits == 0
    is_wanted = (columns.state == HostRunState.QUEUED.value) & (columns.expires_at > _NOW)
    is_unanswered = columns.cancel_answered_at.is_(None) & columns.reported_at.is_(None)
    is_member = (hosts.c.name == columns.host) & (hosts.c.epoch == columns.epoch)
    may_still_run = columns.cancel_until > _NOW
    return (
        select(
            *(columns.run_id, columns.host, columns.offered_at),
            *(envelopes.c.kind, envelopes.c.digest, envelopes.c.data),
            *(columns.publishes, columns.pause_ms),
        )
        .select_from(host_runs.join(envelopes, sent).join(hosts, is_member))
        # The states stand here, where an index finds them: whatever has ended is not looked at.
        .where(columns.state.in_(_MAY_HAVE_THE_ORDER), columns.next_publish_at <= _NOW)
        .where(
            case(
                (columns.cancel_sha256.is_(None), is_wanted & is_approved),
                else_=is_unanswered & may_still_run,
            )
        )
        .order_by(columns.next_publish_at)
        .limit(_MOST)
    )


def _pings_due() -> Select[Any]:
    columns = pings.c
    return (
        select(columns.nonce, columns.host, envelopes.c.data, columns.publishes)
        .select_from(pings.join(envelopes, envelopes.c.digest == columns.digest))
        .where(columns.ponged_at.is_(None))
        .where(columns.next_publish_at <= _NOW, columns.expires_at > _NOW)
        .limit(_MOST)
    )


def _order_posted() -> Many:
    columns = host_runs.c
    due = func.coalesce(columns.cancel_sha256, columns.order_sha256)
    this = {"run_id": columns.run_id, "host": columns.host, "digest": due}
    return update_many(host_runs, this, ["publishes", "pause_ms", "next_publish_at"])


def _end_untaken() -> Update:
    columns = host_runs.c
    reason = case(
        (columns.cancel_sha256.is_not(None), _EXPIRED_CANCELLING + columns.reason),
        (columns.awaits > 0, _EXPIRED_WAITING),
        else_=_EXPIRED,
    )
    ended = {"state": HostRunState.EXPIRED.value, "ended_at": _NOW, "reason": reason}
    return update(host_runs).where(_IS_UNTAKEN).values(**ended)


def _end_silent() -> Update:
    ended = {"state": HostRunState.UNKNOWN.value, "ended_at": _NOW, "reason": _SILENT}
    return update(host_runs).where(_IS_SILENT).values(**ended)


def _offer(connection: Connection, keys: Sequence[tuple[str, str]], now: int) -> None:
    if keys:
        values = [{"of_run": run_id, "of": host, "now": now} for run_id, host in keys]
        connection.execute(_OFFERED, values)


_NOW, _MOST = bindparam("now", type_=BigInteger), bindparam("most", type_=BigInteger)
_IS_THIS = (host_runs.c.run_id == bindparam("of_run")) & (host_runs.c.host == bindparam("of"))
_IS_UNTAKEN = (host_runs.c.state == HostRunState.QUEUED.value) & (host_runs.c.expires_at <= _NOW)
_IS_SILENT = host_runs.c.state.in_(_TAKEN) & (host_runs.c.deadline_at <= _NOW)

_ANY_DUE = _due().with_only_columns(host_runs.c.host)
_DUE = _due().with_for_update(of=host_runs)
_PINGS_DUE = _pings_due()
_ANY_OVERDUE = select(host_runs.c.run_id).where(_IS_UNTAKEN | _IS_SILENT).limit(1)
_OFFERED = (
    update(host_runs).where(_IS_THIS, host_runs.c.offered_at.is_(None)).values(offered_at=_NOW)
)
_ORDER_POSTED = _order_posted()
_PING_POSTED = update_many(pings, {"nonce": pings.c.nonce}, ["publishes", "next_publish_at"])
_END_UNTAKEN, _END_SILENT = _end_untaken(), _end_silent()
