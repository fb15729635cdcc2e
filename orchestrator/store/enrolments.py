"""The enrolments: each moves from state to state only if it is still where it was looked at."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from orchestrator.store.database import Database
from orchestrator.store.enrolment_record import OPEN, Enrolment, EnrolmentState
from orchestrator.store.row import to_row
from orchestrator.store.schema import enrolments

_REPLACED = "another token was made for this host"


class Enrolments:
    """Reads and writes enrolments."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def issue(self, enrolment: Enrolment) -> None:
        """Add one; what was open for the same host is void from now on."""
        values = {**to_row(enrolment), "labels": json.dumps(dict(enrolment.labels))}
        with self._database.writing() as connection:
            of_host = enrolments.c.host == enrolment.host
            _void(connection, of_host, _REPLACED, enrolment.issued_at)
            connection.execute(insert(enrolments).values(**values))

    def get(self, id_: str) -> Enrolment | None:
        """Return an enrolment by its token's id."""
        found = self._select(enrolments.c.id == id_)
        return found[0] if found else None

    def open(self) -> list[Enrolment]:
        """Return those that are not over, the oldest first."""
        return self._select(_is_in(OPEN))

    def open_for(self, host: str) -> Enrolment | None:
        """Return the one of a host that is not over."""
        found = self._select(_is_in(OPEN) & (enrolments.c.host == host))
        return found[-1] if found else None

    def claim(self, id_: str, sign_key: str, seal_key: str, at: int) -> bool:
        """Let the first that asks have the token, by its keys; tell whether this was the first."""
        keys = {"sign_key": sign_key, "seal_key": seal_key, "claimed_at": at}
        ways = {True: EnrolmentState.HELD, False: EnrolmentState.ACCEPTED}
        issued = (enrolments.c.id == id_) & (enrolments.c.state == EnrolmentState.ISSUED.value)
        with self._database.writing() as connection:
            return any(
                connection.execute(
                    update(enrolments)
                    .where(issued, enrolments.c.hold.is_(hold))
                    .values(**keys, state=state.value)
                ).rowcount
                for hold, state in ways.items()
            )

    def accept(self, id_: str) -> bool:
        """Let the registrar admit a host that is held; tell whether it was."""
        return self._move(id_, EnrolmentState.HELD, state=EnrolmentState.ACCEPTED.value)

    def reject(self, id_: str, reason: str, at: int) -> bool:
        """Turn a host away that is held; tell whether it was."""
        values = {"state": EnrolmentState.REJECTED.value, "reason": reason, "ended_at": at}
        return self._move(id_, EnrolmentState.HELD, **values)

    def admitted(self, id_: str, answer: bytes, at: int) -> bool:
        """Note that a host was admitted, and what it is told; tell whether it was accepted."""
        values = {"state": EnrolmentState.ADMITTED.value, "answer": answer, "ended_at": at}
        return self._move(id_, EnrolmentState.ACCEPTED, **values)

    def void(self, id_: str, reason: str, at: int) -> None:
        """End one, wherever it stands."""
        with self._database.writing() as connection:
            _void(connection, enrolments.c.id == id_, reason, at)

    def void_host(self, host: str, reason: str, at: int) -> None:
        """End all of a host's, used or not."""
        with self._database.writing() as connection:
            of_host = enrolments.c.host == host
            _void(connection, of_host, reason, at, (*OPEN, EnrolmentState.ADMITTED))

    def void_expired(self, now: int) -> None:
        """End those whose time is over."""
        with self._database.writing() as connection:
            _void(connection, enrolments.c.expires_at <= now, "the token has expired", now)

    def forget(self, expired_before: int) -> None:
        """Forget all whose time was over long ago."""
        with self._database.writing() as connection:
            old = enrolments.c.expires_at < expired_before
            connection.execute(delete(enrolments).where(old))

    def _select(self, which: ColumnElement[bool]) -> list[Enrolment]:
        query = select(enrolments).where(which).order_by(enrolments.c.issued_at)
        with self._database.reading() as connection:
            return [_enrolment(row) for row in connection.execute(query).mappings()]

    def _move(self, id_: str, before: EnrolmentState, **values: Any) -> bool:
        is_there = (enrolments.c.id == id_) & (enrolments.c.state == before.value)
        with self._database.writing() as connection:
            moved = connection.execute(update(enrolments).where(is_there).values(**values))
            return bool(moved.rowcount)


def _void(
    connection: Connection,
    which: ColumnElement[bool],
    reason: str,
    at: int,
    states: Sequence[EnrolmentState] = OPEN,
) -> None:
    values = {"state": EnrolmentState.VOID.value, "reason": reason, "ended_at": at, "answer": None}
    connection.execute(update(enrolments).where(which & _is_in(states)).values(**values))


def _is_in(states: Sequence[EnrolmentState]) -> ColumnElement[bool]:
    return enrolments.c.state.in_([state.value for state in states])


def _enrolment(row: RowMapping) -> Enrolment:
    changed = {"labels": json.loads(row["labels"]), "state": EnrolmentState(row["state"])}
    return Enrolment(**{**row, **changed})
