"""Which hosts lack a keyring, or their newest admission, and when they are sent it next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select, update

from orchestrator.store.database import Database
from orchestrator.store.schema import hosts, keyrings


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A host that lacks something."""

    host: str
    keyring: int  # the version that it follows
    admission: bytes | None  # None: it has the newest one
    pause_ms: int  # how long we last waited


class Following:
    """Reads and notes who is behind."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def due(self, now: int, limit: int) -> list[Behind]:
        """Return hosts that lack something and are to be sent it now."""
        with self._database.reading() as connection:
            return [
                Behind(
                    host=row.name,
                    keyring=row.keyring,
                    admission=bytes(row.admission) if row.lacks_admission else None,
                    pause_ms=row.follow_pause_ms,
                )
                for row in connection.execute(_DUE, {"now": now, "most": limit})
            ]

    def sent(self, behind: Sequence[Behind], now: int) -> None:
        """Note when each is due again."""
        if behind:
            rows = [
                {"of": each.host, "due": now + each.pause_ms, "pause": each.pause_ms}
                for each in behind
            ]
            with self._database.writing() as connection:
                connection.execute(_SENT, rows)


def _due() -> Select[Any]:
    newest = select(func.max(keyrings.c.version)).scalar_subquery()
    lacks_admission = hosts.c.admitted_at < hosts.c.admission_at
    return (
        select(hosts.c.name, hosts.c.keyring, hosts.c.admission, hosts.c.follow_pause_ms)
        .add_columns(lacks_admission.label("lacks_admission"))
        .where(hosts.c.follow_at <= bindparam("now"))
        .where((hosts.c.keyring < newest) | lacks_admission)
        .limit(bindparam("most", type_=Integer))
    )


_DUE = _due()
_SENT = (
    update(hosts)
    .where(hosts.c.name == bindparam("of"))
    .values(follow_at=bindparam("due"), follow_pause_ms=bindparam("pause"))
)
