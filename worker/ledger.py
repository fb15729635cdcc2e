"""The ledger: which orders and steps this host has taken and done. It survives kill -9.

SQLite with a write-ahead log. One method, one transaction, and what a method has returned from
survives the end of the process. A loss of power it survives, too, if something depends on it:

    accept      the receipt says that the order is here
    cancel      so does the answer to it
    begin_step  before any effect
    end         before the report is sent

These wait for the disk (`synchronous=FULL`), and for all that was written before them. The others
(`begin`, `keep_items`, `end_step`, `acknowledge`) don't wait: what a power loss takes of them is at
the end of the log, behind the last effect. Then a run begins anew in which nothing was done, a step
that was done is observed as one that was interrupted, and a report is sent and acknowledged again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from worker.ledger_file import SKEW_MS, LedgerError
from worker.place import Place
from worker.transactions import Transactions

_ENTRY = "run_id, digest, letter, accepted_at, started_at, boot_id, boot_time, interruptions"


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
class Tombstone:
    """That an order was taken back."""

    run_id: str
    digest: str  # of the order
    letter: bytes
    why: str  # by whom, and for what reason
    kill: bool  # also end the command that runs
    expires_at: int  # of the order, ms since 1970
    at: int  # ms since 1970


@dataclass(frozen=True, slots=True)
class Begun:
    """A step whose action or rescue has begun, as the ledger remembers it."""

    attempts: int  # 0: its action was not run
    started_at: int  # ms since 1970
    report: bytes | None  # None: it was interrupted


class Ledger:
    """One host's ledger; used by the one executor that holds the state directory's lock."""

    def __init__(self, path: Path) -> None:
        """Open an existing ledger. Raises LedgerError."""
        if not path.exists():
            raise LedgerError(f"no ledger at {path}; run `denrei-worker enrol TOKEN` first")
        self._file = Transactions(path)
        self._rows, self._transaction = self._file.rows, self._file.writing
        self._buried: frozenset[str] | None = None  # run ids; None: not read since they changed
        try:
            self.created_at = self._file.check(path)
        except LedgerError:
            self.close()
            raise

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
            db.execute("UPDATE meta SET floor = max(floor, ?)", (issued_at - SKEW_MS,))

    def state_of(self, run_id: str) -> str | None:
        """Return `accepted`, `running` or `ended`; None if the run is not known."""
        rows = self._rows("SELECT state FROM orders WHERE run_id = ?", run_id)
        return rows[0][0] if rows else None

    def open_orders(self) -> list[Entry]:
        """Return the orders that have not ended, in the order in which they came.

        By rowid, not by time: when the clock is set back, nothing may overtake a run half done.
        """
        query = f"SELECT {_ENTRY} FROM orders WHERE state <> 'ended' ORDER BY rowid"  # noqa: S608 - a constant
        return [Entry(*row) for row in self._rows(query)]

    def cancel(self, tombstone: Tombstone, issued_at: int) -> str | None:
        """Bury an order, unless it has ended; return its state, None if it never came.

        One that is buried already stays so; a later word to kill counts, one to spare does not.
        """
        state = self.state_of(tombstone.run_id)
        if state == "ended":
            return state
        with self._burying() as db:
            db.execute(
                "INSERT INTO tombstones VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET letter = excluded.letter, why = excluded.why, kill = 1"
                " WHERE excluded.kill > kill",
                astuple(tombstone),
            )
            db.execute("UPDATE meta SET floor = max(floor, ?)", (issued_at - SKEW_MS,))
        return state

    def tombstone(self, run_id: str) -> Tombstone | None:
        """Return the tombstone of an order, if it was taken back."""
        if run_id not in self._tombstones:
            return None
        rows = self._rows("SELECT * FROM tombstones WHERE run_id = ?", run_id)
        return Tombstone(*rows[0]) if rows else None

    def cancelled_digest(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id that was cancelled, if one was."""
        tombstone = self.tombstone(run_id)
        return tombstone.digest if tombstone else None

    def taken_back(self) -> list[Entry]:
        """Return the orders that were cancelled after they came and before they began."""
        if not self._tombstones:
            return []
        query = (
            f"SELECT {_ENTRY} FROM orders WHERE state = 'accepted'"  # noqa: S608 - a constant
            " AND run_id IN (SELECT run_id FROM tombstones) ORDER BY rowid"
        )
        return [Entry(*row) for row in self._rows(query)]

    @property
    def _tombstones(self) -> frozenset[str]:
        """Return whose there are: each step asks several times, and nearly always there is none."""
        if self._buried is None:
            rows = self._rows("SELECT run_id FROM tombstones")
            self._buried = frozenset(run_id for (run_id,) in rows)
        return self._buried

    @contextmanager
    def _burying(self) -> Iterator[sqlite3.Connection]:
        """Give a transaction that may change tombstones."""
        try:
            with self._transaction() as db:
                yield db
        finally:
            self._buried = None

    def begin(self, entry: Entry) -> None:
        """Note that an order's run begins, and when."""
        with self._transaction(waits=False) as db:
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

    def keep_items(self, run_id: str, items: list[tuple[str, str]], notes: list[str]) -> None:
        """Note what for_each found, as (name, path), and left alone, before any change."""
        rows = [(run_id, position, *item) for position, item in enumerate(items)]
        with self._transaction(waits=False) as db:
            db.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows)
            numbered = [(run_id, position, note) for position, note in enumerate(notes)]
            db.executemany("INSERT INTO notes VALUES (?, ?, ?)", numbered)

    def items(self, run_id: str) -> list[tuple[str, str]]:
        """Return what for_each found when the run began."""
        query = "SELECT name, path FROM items WHERE run_id = ? ORDER BY position"
        return self._rows(query, run_id)

    def notes(self, run_id: str) -> list[str]:
        """Return what for_each left alone when the run began."""
        query = "SELECT note FROM notes WHERE run_id = ? ORDER BY position"
        return [note for (note,) in self._rows(query, run_id)]

    def begin_step(self, place: Place, now: int) -> None:
        """Note an attempt of a step's action before it has any effect."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO steps VALUES (?, ?, ?, ?, 1, ?, NULL)"
                " ON CONFLICT DO UPDATE SET attempts = attempts + 1",
                (*place.key, now),
            )

    def end_step(self, place: Place, now: int, report: bytes) -> None:
        """Note that a step is done, and how; also one that only looked, before its rescue."""
        with self._transaction(waits=False) as db:
            db.execute(
                "INSERT INTO steps VALUES (?, ?, ?, ?, 0, ?, ?)"
                " ON CONFLICT DO UPDATE SET report = excluded.report",
                (*place.key, now, report),
            )

    def step(self, place: Place) -> Begun | None:
        """Return what is known of a step whose action or rescue has begun."""
        query = (
            "SELECT attempts, started_at, report FROM steps"
            " WHERE run_id = ? AND item = ? AND step = ? AND rescue = ?"
        )
        rows = self._rows(query, *place.key)
        return Begun(*rows[0]) if rows else None

    def changed_at(self, run_id: str, item: int) -> int | None:
        """Return when the first action of a pass began (ms), if one did."""
        query = "SELECT min(started_at) FROM steps WHERE run_id = ? AND item = ? AND attempts > 0"
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
            db.execute("INSERT INTO outbox VALUES (?, ?, ?, 0)", (digest, run_id, report))
            db.execute("UPDATE meta SET reports = reports + 1")

    def unacknowledged(self) -> list[tuple[str, bytes]]:
        """Return the reports that are still to be sent, as (digest, letter)."""
        query = "SELECT digest, letter FROM outbox WHERE NOT acknowledged ORDER BY rowid"
        return self._rows(query)

    def acknowledge(self, digest: str) -> bool:
        """Send a report no more that the recorder has stored; tell whether it was to be sent."""
        query = "UPDATE outbox SET acknowledged = 1 WHERE digest = ? AND NOT acknowledged"
        with self._transaction(waits=False) as db:
            return db.execute(query, (digest,)).rowcount > 0

    def prune(self) -> int:
        """Forget what the floor refuses anyhow: ended orders with their reports, and tombstones.

        A report that is not acknowledged keeps its order. Return how many orders.
        """
        with self._burying() as db:
            forgotten = db.execute(
                "DELETE FROM orders WHERE state = 'ended' AND expires_at < ?"
                " AND run_id NOT IN (SELECT run_id FROM outbox WHERE NOT acknowledged)",
                (self.floor,),
            ).rowcount
            db.execute(
                "DELETE FROM tombstones WHERE expires_at < ?"
                " AND run_id NOT IN (SELECT run_id FROM orders)",
                (self.floor,),
            )
        return forgotten

    def close(self) -> None:
        """Close the file."""
        self._file.close()
