"""What the recorder works on: letters from hosts, many of them taken in by one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, Select, bindparam, select, update

from contract.report import Footing, FromHost, Pong, Receipt, Refusal, Report
from orchestrator.store import certificates
from orchestrator.store import envelopes as letters
from orchestrator.store.among import among
from orchestrator.store.database import Database
from orchestrator.store.many import Many, update_many
from orchestrator.store.record import HostRun, NewEnvelope
from orchestrator.store.row import to_row
from orchestrator.store.runs import to_host_run
from orchestrator.store.schema import host_runs, hosts, pings, runs

_MOVED = (
    *("state", "outcome", "reason", "accepted_at", "deadline_at", "ended_at"),
    *("cancel_answered_at", "reported_at", "report"),
)  # what letters move of a host run; the dispatcher's columns are not touched
_MOVE = update_many(host_runs, {"run_id": host_runs.c.run_id, "host": host_runs.c.host}, _MOVED)
_COLUMNS = tuple(host_runs.c.keys())
# In one sequence, so that two who lock several never wait for each other.
_STANDINGS: Select[Any] = (
    select(host_runs, runs.c.timeout_ms)
    .join(runs, runs.c.run_id == host_runs.c.run_id)
    .order_by(host_runs.c.run_id, host_runs.c.host)
    .with_for_update(of=host_runs)
)
_ABOUT = _STANDINGS.where(
    among(host_runs.c.order_sha256, "digests") | among(host_runs.c.cancel_sha256, "digests")
)
_OF_RUN = _STANDINGS.where(
    host_runs.c.run_id == bindparam("run"), host_runs.c.host == bindparam("of")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a host run stands when a letter about it comes in."""

    host_run: HostRun
    timeout_ms: int  # of its runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A verified letter, and what it tells."""

    letter: NewEnvelope
    about: str  # the digest of the order, or of the tombstone, that it speaks of; or nothing
    tells: FromHost  # of a report all but its passes
    report: str = ""  # a report's payload


@dataclass(frozen=True, slots=True)
class Answer:
    """The acknowledgement of a report, for its host."""

    host: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answers:
    """Acknowledgements that were signed together."""

    head: NewEnvelope  # what was signed; it is stored, not each of them
    by_report: Mapping[str, Answer]  # by the report's digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a letter."""

    repeated: bool
    acknowledgement: Answer | None = None  # to be sent to the host
    before: HostRun | None = None  # None: no host run is meant by it
    after: HostRun | None = None


Advance = Callable[[Standing, FromHost, int, str], HostRun]
Acknowledge = Callable[[Sequence[Arrived], Sequence[int]], Answers]  # with when each was stored


class Incoming:
    """Stores letters from hosts, moves their host runs, and stores what acknowledges them."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def take(
        self, arrived: Sequence[Arrived], advance: Advance, acknowledge: Acknowledge
    ) -> list[Taken]:
        """Take in verified letters in their sequence, all of them or none.

        A letter that is stored already changes nothing. It is acknowledged again for the moment at
        which it was stored; that is not stored, since it says nothing new.
        """
        if not arrived:
            return []
        with self._database.writing() as connection:
            batch = _Batch(connection, arrived, advance)
            judged = [batch.judge(each) for each in arrived]
            answers = _answered([each for each in judged if not each.repeated], acknowledge)
            batch.write([answers.head] if answers else [])
        again = _answered([each for each in judged if each.repeated], acknowledge)
        by_report = {**(again.by_report if again else {}), **(answers.by_report if answers else {})}
        return [each.taken(by_report.get(each.arrived.letter.digest)) for each in judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A letter, and what becomes of it."""

    arrived: Arrived
    at: int  # when it was stored
    repeated: bool
    before: HostRun | None = None
    after: HostRun | None = None

    def taken(self, answer: Answer | None) -> Taken:
        return Taken(
            repeated=self.repeated, acknowledgement=answer, before=self.before, after=self.after
        )


class _Batch:
    """Letters of one transaction: looked up together, judged one by one, written together."""

    def __init__(
        self, connection: Connection, arrived: Sequence[Arrived], advance: Advance
    ) -> None:
        self._connection = connection
        self._advance = advance
        self._stored_at = letters.stored_at(connection, [each.letter.digest for each in arrived])
        self._standings = _Standings(connection, [each.about for each in arrived if each.about])
        self._new: list[NewEnvelope] = []
        self._signs: dict[str, dict[str, Any]] = {}  # of life, by host
        self._ponged: list[tuple[NewEnvelope, Pong]] = []
        self._reports: list[tuple[Report, int]] = []

    def judge(self, arrived: Arrived) -> _Judged:
        """Judge one letter, after those before it."""
        letter, tells = arrived.letter, arrived.tells
        if (stored_at := self._stored_at.get(letter.digest)) is not None:
            return _Judged(arrived=arrived, at=stored_at, repeated=True)
        self._stored_at[letter.digest] = letter.at
        standing = self._standings.find(arrived)
        self._new.append(_filed(letter, standing))
        self._note_life(letter, tells)
        if isinstance(tells, Pong):
            self._ponged.append((letter, tells))
        if standing is None:
            return _Judged(arrived=arrived, at=letter.at, repeated=False)
        if isinstance(tells, Report):
            self._reports.append((tells, letter.at))
        after = self._advance(standing, tells, letter.at, arrived.report)
        self._standings.move(standing, after)
        before = standing.host_run
        return _Judged(arrived=arrived, at=letter.at, repeated=False, before=before, after=after)

    def write(self, heads: Sequence[NewEnvelope]) -> None:
        """Write all that was decided, and behind the letters what acknowledges them."""
        if new := [*self._new, *heads]:
            letters.append(self._connection, new)
        self._write_life()
        for letter, pong in self._ponged:
            _answer(self._connection, letter, pong)
        for report, at in self._reports:
            certificates.learn(self._connection, report, at)
        self._standings.write()

    def _note_life(self, letter: NewEnvelope, tells: FromHost) -> None:
        """Note that it signed, and what it goes by; what it lacks it is sent at once."""
        values = self._signs.setdefault(letter.host, {})
        values |= {"last_signed_at": letter.at, "keyring": tells.keyring}
        if isinstance(tells, Footing):
            values["admitted_at"] = tells.admission_at
        if isinstance(tells, Refusal) and tells.reason == "keyring_behind":
            values |= {"follow_at": letter.at, "follow_pause_ms": 0}

    def _write_life(self) -> None:
        by_names: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for host, values in self._signs.items():
            by_names.setdefault(tuple(values), []).append({"name": host, **values})
        for names, rows in by_names.items():
            _signs_of(names).execute(self._connection, rows)


@dataclass(slots=True)
class _Standings:
    """The host runs that a batch is about, as its letters move them."""

    connection: Connection
    abouts: Iterable[str]
    _by_run: dict[tuple[str, str], Standing] = field(default_factory=dict, init=False)
    _runs_of: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict, init=False)
    _moved: dict[tuple[str, str], HostRun] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if digests := list(dict.fromkeys(self.abouts)):
            for row in self.connection.execute(_ABOUT, {"digests": digests}):
                self._keep(_standing(row))

    def find(self, arrived: Arrived) -> Standing | None:
        """Return the host run that a letter is about, as it stands now."""
        key = self._runs_of.get((arrived.about, arrived.letter.host))
        if key is None and isinstance(arrived.tells, Receipt | Report):
            key = self._find_by_run(arrived.about, arrived.tells)
        return self._by_run[key] if key else None

    def move(self, standing: Standing, after: HostRun) -> None:
        """Let a host run stand elsewhere from now on."""
        if after != standing.host_run:
            key = (after.run_id, after.host)
            self._by_run[key] = Standing(host_run=after, timeout_ms=standing.timeout_ms)
            self._moved[key] = after

    def write(self) -> None:
        """Write what was moved."""
        if not self._moved:
            return
        _MOVE.execute(self.connection, [to_row(after) for after in self._moved.values()])

    def _find_by_run(self, about: str, tells: Receipt | Report) -> tuple[str, str] | None:
        """Return the host run that a receipt or a report is about by its run, not by the letter.

        Whoever carries an order can take a signature off that was more than its host asked for; the
        letter then has another digest. What was signed is the same, the run's id in it.
        """
        known = letters.find(self.connection, about)
        if known and (known.host, known.run_id) != (tells.host, tells.run_id):
            return None  # it speaks of an order that is somebody else's
        key = (tells.run_id, tells.host)
        if key not in self._by_run:
            for row in self.connection.execute(_OF_RUN, {"run": tells.run_id, "of": tells.host}):
                self._keep(_standing(row))
        standing = self._by_run.get(key)
        return key if standing and standing.host_run.epoch == tells.epoch else None

    def _keep(self, standing: Standing) -> None:
        host_run = standing.host_run
        key = (host_run.run_id, host_run.host)
        self._by_run[key] = standing
        for digest in (host_run.order_sha256, host_run.cancel_sha256):
            if digest:
                self._runs_of[digest, host_run.host] = key


def _answered(judged: Iterable[_Judged], acknowledge: Acknowledge) -> Answers | None:
    """Return the acknowledgements of those that are reports: only these a host keeps till then."""
    reports = [each for each in judged if isinstance(each.arrived.tells, Report)]
    if not reports:
        return None
    return acknowledge([each.arrived for each in reports], [each.at for each in reports])


def _filed(letter: NewEnvelope, standing: Standing | None) -> NewEnvelope:
    """Return the letter under the run that it is about, even if it could not name the run."""
    if standing is None or letter.run_id is not None:
        return letter
    return replace(letter, run_id=standing.host_run.run_id)


def _answer(connection: Connection, letter: NewEnvelope, pong: Pong) -> None:
    asked = (pings.c.nonce == pong.nonce) & (pings.c.host == letter.host)
    query = update(pings).where(asked, pings.c.ponged_at.is_(None))
    values = {"ponged_at": letter.at, "waiting": pong.waiting, "worker": pong.worker}
    connection.execute(query.values(**values))


def _standing(row: Row[Any]) -> Standing:
    host_run = to_host_run(dict(zip(_COLUMNS, row[:-1], strict=True)))
    return Standing(host_run=host_run, timeout_ms=row[-1])


@cache
def _signs_of(names: tuple[str, ...]) -> Many:
    """Return the statement that writes these signs of life of hosts."""
    return update_many(hosts, {"name": hosts.c.name}, names)
