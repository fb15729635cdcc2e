"""What the recorder works on: one letter from a host, taken in by one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from contract.report import Footing, HostMessage, Pong, Receipt, Refusal, Report
from orchestrator.store import certificates
from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database
from orchestrator.store.record import HostRun, NewEnvelope
from orchestrator.store.runs import to_host_run
from orchestrator.store.schema import host_runs, hosts, pings, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a host run stands when a letter about it comes in."""

    host_run: HostRun
    timeout_ms: int  # of its runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a letter."""

    repeated: bool
    acknowledgement: NewEnvelope | None = None  # to be sent to the host
    before: HostRun | None = None  # None: no host run is meant by it
    after: HostRun | None = None


Advance = Callable[[Standing], HostRun]
Acknowledge = Callable[[int], NewEnvelope]


class Incoming:
    """Stores letters from hosts, moves their host runs, and stores the acknowledgements."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def take(
        self,
        letter: NewEnvelope,
        about: str,
        advance: Advance,
        tells: HostMessage,
        acknowledge: Acknowledge | None = None,
    ) -> Taken:
        """Take in one verified letter, all of it or nothing.

        `about` is the digest of the order, or of the tombstone, that it speaks of. A letter that is
        stored already changes nothing; its acknowledgement is made again for the same moment, hence
        with the same bytes.
        """
        with self._database.writing() as connection:
            known = letters.find(connection, letter.digest)
            answer = acknowledge(known.at if known else letter.at) if acknowledge else None
            if answer and letters.find(connection, answer.digest) is None:
                letters.append(connection, [answer])
            if known:
                return Taken(repeated=True, acknowledgement=answer)
            standing = _standing(connection, about, letter.host) or _by_run(
                connection, about, tells
            )
            letters.append(connection, [_filed(letter, standing)])
            _sign_of_life(connection, letter, tells)
            _answer(connection, letter, tells)
            if standing is None:
                return Taken(repeated=False, acknowledgement=answer)
            if isinstance(tells, Report):
                certificates.learn(connection, tells, letter.at)
            after = _move(connection, standing, advance)
            return Taken(
                repeated=False, acknowledgement=answer, before=standing.host_run, after=after
            )


def _filed(letter: NewEnvelope, standing: Standing | None) -> NewEnvelope:
    """Return the letter under the run that it is about, even if it could not name the run."""
    if standing is None or letter.run_id is not None:
        return letter
    return replace(letter, run_id=standing.host_run.run_id)


def _sign_of_life(connection: Connection, letter: NewEnvelope, tells: HostMessage) -> None:
    """Note that it signed, and what it goes by; what it lacks it is sent at once."""
    query = update(hosts).where(hosts.c.name == letter.host)
    values: dict[str, Any] = {"last_signed_at": letter.at, "keyring": tells.keyring}
    if isinstance(tells, Footing):
        values["admitted_at"] = tells.admission_at
    if isinstance(tells, Refusal) and tells.reason == "keyring_behind":
        values |= {"follow_at": letter.at, "follow_pause_ms": 0}
    connection.execute(query.values(**values))


def _answer(connection: Connection, letter: NewEnvelope, tells: HostMessage) -> None:
    if not isinstance(tells, Pong):
        return
    asked = (pings.c.nonce == tells.nonce) & (pings.c.host == letter.host)
    query = update(pings).where(asked, pings.c.ponged_at.is_(None))
    values = {"ponged_at": letter.at, "waiting": tells.waiting, "worker": tells.worker}
    connection.execute(query.values(**values))


def _move(connection: Connection, standing: Standing, advance: Advance) -> HostRun:
    after = advance(standing)
    if after != standing.host_run:
        _update(connection, after)
    return after


def _standing(connection: Connection, about: str, host: str) -> Standing | None:
    named = (host_runs.c.order_sha256 == about) | (host_runs.c.cancel_sha256 == about)
    return _find(connection, named & (host_runs.c.host == host))


def _by_run(connection: Connection, about: str, tells: HostMessage) -> Standing | None:
    """Return the host run that a receipt or a report is about by its run, not by the letter.

    Whoever carries an order can take a signature off that was more than its host asked for; the
    letter then has another digest. What was signed is the same, the run's id in it.
    """
    if not isinstance(tells, Receipt | Report):
        return None
    known = letters.find(connection, about)
    if known and (known.host, known.run_id) != (tells.host, tells.run_id):
        return None  # it speaks of an order that is somebody else's
    ours = (host_runs.c.run_id == tells.run_id) & (host_runs.c.host == tells.host)
    return _find(connection, ours & (host_runs.c.epoch == tells.epoch))


def _find(connection: Connection, condition: ColumnElement[bool]) -> Standing | None:
    query = select(host_runs, runs.c.timeout_ms).join(runs, runs.c.run_id == host_runs.c.run_id)
    query = query.where(condition).with_for_update(of=host_runs)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    values = dict(row)
    timeout_ms = values.pop("timeout_ms")
    return Standing(host_run=to_host_run(values), timeout_ms=timeout_ms)


def _update(connection: Connection, after: HostRun) -> None:
    """Write what letters move; the dispatcher's columns are not touched."""
    query = update(host_runs)
    query = query.where(host_runs.c.run_id == after.run_id, host_runs.c.host == after.host)
    connection.execute(
        query.values(
            state=after.state.value,
            outcome=after.outcome.value if after.outcome else None,
            reason=after.reason,
            accepted_at=after.accepted_at,
            deadline_at=after.deadline_at,
            ended_at=after.ended_at,
            cancel_answered_at=after.cancel_answered_at,
            reported_at=after.reported_at,
            report=after.report,
        )
    )
