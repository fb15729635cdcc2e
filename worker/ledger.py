"""The ledger: which orders and steps this host has taken and done. It survives kill -9.

SQLite with a write-ahead log and `synchronous=FULL`: what a method has returned from is on disk,
also when the power goes. One method, one transaction.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.ledger_file import LedgerError, connect, failure

_SKEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An order in the ledger that has not ended."""

    run_id: str
    digest: str
    letter: bytes
    accepted_at: int  # ms since 1970
    started_at: int | None  # ms since 1970; None: not begun
    boot_id: str | None
    boot_time: float | None
    interruptions: int  # how often an executor died while it ran


@dataclass(frozen=True, slots=True)
class Begun:
    """A step whose action has begun, as the ledger remembers it."""

    attempts: int
    started_at: int  # ms since 1970
    report: bytes | None  # None: it was interrupted


class Ledger:
    """One host's ledger; used by the one executor that holds the state directory's lock."""

    def __init__(self, path: Path) -> None:
        """Open an existing ledger. Raises LedgerError."""
        if not path.exists():
            raise LedgerError(f"no ledger at {path}; run `denrei-worker init` first")
        try:
            self._db = connect(path)
            (damage,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            row = self._db.execute("SELECT created_at FROM meta").fetchone()
        except sqlite3.Error as error:
            raise failure(f"the ledger {path} can't be used", error) from None
        if damage != "ok" or row is None:
            raise LedgerError(f"the ledger {path} is damaged: {damage}")
        self.created_at: int = row[0]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure("the ledger can't be written", error) from error
        finally:
            if self._db.in_transaction:  # SQLite may have rolled back itself, as for a full disk
                self._db.execute("ROLLBACK")

    def _rows(self, query: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise failure("the ledger can't be read", error) from error

    @property
    def floor(self) -> int:
        """Return the time below which nothing is accepted: the newest signed time, less the skew.

        It moves by signed times only, so a wrong wall clock can't poison it; and a pruned order
        stays refused even if the wall clock is set back.
        """
        ((floor,),) = self._rows("SELECT floor FROM meta")
        return int(floor)

    def digest_of(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id, if it was ever accepted."""
        rows = self._rows("SELECT digest FROM orders WHERE run_id = ?", run_id)
        return rows[0][0] if rows else None

    def accept(self, entry: Entry, issued_at: int, expires_at: int) -> None:
        """Take an order into the ledger. Raises LedgerError, and then it is not accepted."""
        values = (entry.run_id, entry.digest, entry.letter, expires_at, entry.accepted_at)
        with self._transaction() as db:
            db.execute(
                "INSERT INTO orders (run_id, digest, letter, state, expires_at, accepted_at)"
                " VALUES (?, ?, ?, 'accepted', ?, ?)",
                values,
            )
            db.execute("UPDATE meta SET floor = max(floor, ?)", (issued_at - _SKEW_MS,))

    def state_of(self, run_id: str) -> str | None:
        """Return `accepted`, `running` or `ended`; None if the run is not known."""
        rows = self._rows("SELECT state FROM orders WHERE run_id = ?", run_id)
        return rows[0][0] if rows else None

    def open_orders(self) -> list[Entry]:
        """Return the orders that have not ended, in the order in which they came.

        By rowid, not by time: when the clock is set back, nothing may overtake a run half done.
        """
        query = (
            "SELECT run_id, digest, letter, accepted_at, started_at, boot_id, boot_time,"
            " interruptions FROM orders WHERE state <> 'ended' ORDER BY rowid"
        )
        return [Entry(*row) for row in self._rows(query)]

    def begin(self, entry: Entry) -> None:
        """Note that an order's run begins, and when."""
        with self._transaction() as db:
            db.execute(
                "UPDATE orders SET state = 'running', started_at = ?, boot_id = ?, boot_time = ?"
                " WHERE run_id = ?",
                (entry.started_at, entry.boot_id, entry.boot_time, entry.run_id),
            )

    def interrupted(self, run_id: str) -> None:
        """Note that an executor died while this order ran."""
        with self._transaction() as db:
            db.execute(
                "UPDATE orders SET interruptions = interruptions + 1 WHERE run_id = ?", (run_id,)
            )

    def keep_items(self, run_id: str, items: list[tuple[str, str]]) -> None:
        """Note what for_each found, as (name, path), before anything is changed."""
        rows = [(run_id, position, *item) for position, item in enumerate(items)]
        with self._transaction() as db:
            db.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows)

    def items(self, run_id: str) -> list[tuple[str, str]]:
        """Return what for_each found when the run began."""
        query = "SELECT name, path FROM items WHERE run_id = ? ORDER BY position"
        return self._rows(query, run_id)

    def begin_step(self, run_id: str, item: int, step: int, now: int) -> None:
        """Note an attempt of a step's action before it has any effect."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO steps VALUES (?, ?, ?, 1, ?, NULL)"
                " ON CONFLICT DO UPDATE SET attempts = attempts + 1",
                (run_id, item, step, now),
            )

    def end_step(self, run_id: str, item: int, step: int, report: bytes) -> None:
        """Note that a step is done, and how."""
        with self._transaction() as db:
            db.execute(
                "UPDATE steps SET report = ? WHERE run_id = ? AND item = ? AND step = ?",
                (report, run_id, item, step),
            )

    def step(self, run_id: str, item: int, step: int) -> Begun | None:
        """Return what is known of a step whose action has begun."""
        query = (
            "SELECT attempts, started_at, report FROM steps"
            " WHERE run_id = ? AND item = ? AND step = ?"
        )
        rows = self._rows(query, run_id, item, step)
        return Begun(*rows[0]) if rows else None

    def changed_at(self, run_id: str, item: int) -> int | None:
        """Return when the first action of a pass began (ms), if one did."""
        query = "SELECT min(started_at) FROM steps WHERE run_id = ? AND item = ?"
        ((moment,),) = self._rows(query, run_id, item)
        return moment  # type: ignore[no-any-return]

    def next_counter(self) -> int:
        """Return the number that the next report will carry."""
        ((count,),) = self._rows("SELECT reports FROM meta")
        return int(count) + 1

    def end(self, run_id: str, digest: str, report: bytes) -> None:
        """End a run together with its signed report: both, or neither."""
        with self._transaction() as db:
            db.execute("UPDATE orders SET state = 'ended' WHERE run_id = ?", (run_id,))
            db.execute("INSERT INTO outbox VALUES (?, ?, ?)", (digest, run_id, report))
            db.execute("UPDATE meta SET reports = reports + 1")

    def unacknowledged(self) -> list[tuple[str, bytes]]:
        """Return the reports that are still to be sent, as (digest, letter)."""
        return self._rows("SELECT digest, letter FROM outbox ORDER BY rowid")

    def acknowledge(self, digest: str) -> bool:
        """Let go of a report that the recorder has stored; tell whether there was one."""
        with self._transaction() as db:
            return db.execute("DELETE FROM outbox WHERE digest = ?", (digest,)).rowcount > 0

    def prune(self) -> int:
        """Forget ended, acknowledged orders that the floor refuses anyhow; return how many."""
        with self._transaction() as db:
            return db.execute(
                "DELETE FROM orders WHERE state = 'ended' AND expires_at < ?"
                " AND run_id NOT IN (SELECT run_id FROM outbox)",
                (self.floor,),
            ).rowcount

    def close(self) -> None:
        """Close the file."""
        self._db.close()
