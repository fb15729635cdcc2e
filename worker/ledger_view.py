"""What the ledger holds, read beside a running executor: nothing is written, nothing held up."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.ledger_file import SKEW_MS, LedgerError, failure

CHECK_S = 2.0  # no longer than this is the file looked through for damage

_BUSY_MS = 500
_STEPS = 10_000  # of SQLite's machine between two looks at the clock
_HISTORY = (
    "SELECT orders.run_id, orders.state, orders.accepted_at, orders.started_at, orders.letter,"
    " outbox.letter, outbox.acknowledged"
    " FROM orders LEFT JOIN outbox ON outbox.run_id = orders.run_id"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How much the ledger holds, and how it is."""

    waiting: int  # orders that have not begun
    running: int
    unacknowledged: int  # reports that the recorder has not acknowledged
    newest_signed_at: int | None  # ms since 1970: when the newest accepted order was signed
    damage: str | None  # what is wrong with the file; empty: nothing; None: not looked through
    size: int  # bytes, with what is still in the write-ahead log
    free: int  # bytes that the disk has left for us


@dataclass(frozen=True, slots=True)
class Past:
    """An order that the ledger knows, and its report once it has ended."""

    run_id: str
    state: str  # accepted, running or ended
    accepted_at: int
    started_at: int | None
    letter: bytes
    report: bytes | None
    acknowledged: int | None  # whether the recorder has acknowledged the report


class LedgerView:
    """One look at a ledger that another process may be writing."""

    def __init__(self, path: Path) -> None:
        """Look at the ledger at a path; it is opened anew for each question."""
        self._path = path

    def standing(self) -> Standing:
        """Return how much it holds and how it is. Raises LedgerError."""
        with self._reading() as db:
            (floor,) = db.execute("SELECT floor FROM meta").fetchone()
            counts = dict(db.execute("SELECT state, count(*) FROM orders GROUP BY state"))
            query = "SELECT count(*) FROM outbox WHERE NOT acknowledged"
            (unacknowledged,) = db.execute(query).fetchone()
            return Standing(
                waiting=counts.get("accepted", 0),
                running=counts.get("running", 0),
                unacknowledged=unacknowledged,
                newest_signed_at=floor + SKEW_MS if floor else None,
                damage=_damage(db),
                size=self._size(),
                free=self._free(),
            )

    def pruned(self) -> int:
        """Return how many ended orders have been forgotten since the ledger was made."""
        with self._reading() as db:
            query = "SELECT reports - (SELECT count(*) FROM outbox) FROM meta"
            return int(db.execute(query).fetchone()[0])

    def history(self, limit: int) -> list[Past]:
        """Return the newest orders, the newest first. Raises LedgerError."""
        return self._past("ORDER BY orders.rowid DESC LIMIT ?", limit)

    def find(self, prefix: str) -> list[Past]:
        """Return the orders whose run ids begin so. Raises LedgerError."""
        return self._past("WHERE substr(orders.run_id, 1, length(?1)) = ?1", prefix)

    def _past(self, clause: str, value: object) -> list[Past]:
        with self._reading() as db:
            return [Past(*row) for row in db.execute(f"{_HISTORY} {clause}", (value,))]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self._path.exists():
                raise LedgerError(
                    f"no ledger at {self._path}; run `denrei-worker enrol TOKEN` first"
                )
            with closing(sqlite3.connect(self._address(), uri=True, isolation_level=None)) as db:
                db.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
                db.execute("BEGIN")
                yield db
        except (
            sqlite3.Error,
            OSError,
            TypeError,
        ) as error:  # TypeError: not even the one row of `meta`
            raise self._failed(error) from None

    def _address(self) -> str:
        # Without a log nobody is at work on it, and SQLite would make one that may not be ours.
        log = self._path.with_name(self._path.name + "-wal")
        mode = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        return f"{self._path.absolute().as_uri()}?{mode}"

    def _failed(self, error: Exception) -> LedgerError:
        if isinstance(error, sqlite3.Error):
            return failure(f"the ledger {self._path} can't be read", error)
        if isinstance(error, OSError):
            return LedgerError(f"the ledger {self._path} can't be read: {error.strerror}")
        return LedgerError(f"the ledger {self._path} is damaged: its first row is missing")

    def _size(self) -> int:
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def _free(self) -> int:
        disk = os.statvfs(self._path)
        return disk.f_bavail * disk.f_frsize


def _damage(db: sqlite3.Connection) -> str | None:
    """Look through the file for as long as that is no burden."""
    until = time.monotonic() + CHECK_S
    db.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        found: Any = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    finally:
        db.set_progress_handler(None, 0)
    return "" if found[0] == "ok" else str(found[0])
