"""Hints of presence: whom to ask when, and what was answered. Nothing else depends on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Integer, bindparam, select, update

from contract.presence import SKEW_MS
from orchestrator.store.among import among
from orchestrator.store.database import Database
from orchestrator.store.many import update_many
from orchestrator.store.record import PresenceRecord
from orchestrator.store.schema import presences


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the dispatcher found at one host's queue, and what it asked."""

    of: str  # the host
    due_at: int
    lying: int
    nonce: str
    asked_at: int | None
    open_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A word of presence that was well formed; whether it is an answer the nonce decides."""

    of: str  # the host that it claims to come from
    to: str  # the question's nonce
    at: int  # by the host's clock
    came_at: int  # by ours
    worker: str
    inbox: int
    outbox: int
    taking: bool


class Presences:
    """Reads and writes hints of presence."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> dict[str, PresenceRecord]:
        """Return what is known of every host, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(presences)).mappings()
            return {row["host"]: PresenceRecord(**row) for row in rows}

    def due(self, now: int, limit: int) -> list[PresenceRecord]:
        """Return the hosts whose queue is to be looked at, the longest due first."""
        values = {"now": now, "most": limit}
        with self._database.reading() as connection:
            return [PresenceRecord(**row) for row in connection.execute(_DUE, values).mappings()]

    def looked(self, looks: Sequence[Look]) -> None:
        """Note what was found and asked."""
        if looks:
            rows = [{"host": look.of, **asdict(look)} for look in looks]
            with self._database.writing() as connection:
                _LOOKED.execute(connection, rows)

    def count_anew(self, now: int) -> None:
        """Let no silence count that began before now: nobody was there to ask."""
        with self._database.writing() as connection:
            query = update(presences).where(presences.c.open_since < now)
            connection.execute(query.values(open_since=now))

    def answered(self, answers: Sequence[Answer]) -> int:
        """Note those answers that fit an open question, each once; return how many did."""
        asked = {host: record for host, record in self._asked(answers).items() if record.nonce}
        fitting = {a.of: a for a in answers if a.of in asked and asked[a.of].nonce == a.to}
        if not fitting:
            return 0
        with self._database.writing() as connection:
            for answer in fitting.values():
                values = _values(answer, asked[answer.of].asked_at or answer.came_at)
                # The nonce again: another question may have gone out since we looked.
                fits = (presences.c.host == answer.of) & (presences.c.nonce == answer.to)
                connection.execute(update(presences).where(fits).values(**values))
        return len(fitting)

    def signed_clocks(self, skews: Mapping[str, int], at: int) -> None:
        """Note by how much the clocks of hosts are off, at least, as signed letters show (ms).

        Next to every letter shows a clock that is right, and then nothing is written.
        """
        was_off = self._skewed(skews)
        told = [
            {"host": host, "signed_skew_ms": skew_ms, "signed_skew_at": at}
            for host, skew_ms in skews.items()
            if abs(skew_ms) > SKEW_MS or host in was_off
        ]
        if told:
            with self._database.writing() as connection:
                _CLOCKS_TOLD.execute(connection, told)

    def _skewed(self, names: Iterable[str]) -> set[str]:
        with self._database.reading() as connection:
            return set(connection.execute(_SKEWED, {"names": list(names)}).scalars())

    def _asked(self, answers: Sequence[Answer]) -> dict[str, PresenceRecord]:
        names = list({answer.of for answer in answers})
        with self._database.reading() as connection:
            rows = connection.execute(_NAMED, {"names": names}).mappings()
            return {row["host"]: PresenceRecord(**row) for row in rows}


_THIS = {"host": presences.c.host}
_LOOKED = update_many(presences, _THIS, ["due_at", "lying", "nonce", "asked_at", "open_since"])
_CLOCKS_TOLD = update_many(presences, _THIS, ["signed_skew_ms", "signed_skew_at"])

_NAMED = select(presences).where(among(presences.c.host, "names"))
_SKEWED = select(presences.c.host).where(
    among(presences.c.host, "names"),
    (presences.c.signed_skew_ms != 0) | (presences.c.skew_ms != 0),
)
_DUE = (
    select(presences)
    .where(presences.c.due_at <= bindparam("now"))
    .order_by(presences.c.due_at)
    .limit(bindparam("most", type_=Integer))
)


def skew_between(at: int, earliest: int, latest: int) -> int:
    """Return by how much a clock is off, at least, that showed `at` between two moments of ours."""
    return min(at - earliest, 0) + max(at - latest, 0)


def _values(answer: Answer, asked_at: int) -> dict[str, object]:
    return {
        "nonce": "",  # one answer to each question
        "open_since": None,
        "lying": 0,
        "answered_at": answer.came_at,
        "skew_ms": skew_between(answer.at, asked_at, answer.came_at),
        "worker": answer.worker,
        "inbox": answer.inbox,
        "outbox": answer.outbox,
        "taking": answer.taking,
    }
