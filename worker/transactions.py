"""The ledger's one connection: whole transactions, and reading what has not changed only once."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worker.ledger_file import LedgerError, connect, failure

_AT_ONCE, _WITH_THE_NEXT = "FULL", "NORMAL"  # when a commit is on the disk: `synchronous`
_FEW = 4  # rows; more are not remembered


class Transactions:
    """Reads and writes for the only process that writes here."""

    def __init__(self, path: Path) -> None:
        """Open an existing ledger. Raises LedgerError."""
        try:
            self.connection = connect(path)
        except sqlite3.Error as error:
            raise failure(f"the ledger {path} can't be used", error) from None
        self._read: dict[tuple[str, tuple[object, ...]], list[Any]] = {}  # since the last write

    @contextmanager
    def writing(self, *, waits: bool = True) -> Iterator[sqlite3.Connection]:
        """Give a transaction; it has waited for the disk when it ends, if it is to."""
        db = self.connection
        try:
            db.execute(f"PRAGMA synchronous={_AT_ONCE if waits else _WITH_THE_NEXT}")
            db.execute("BEGIN IMMEDIATE")
            self._read.clear()
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure("the ledger can't be written", error) from error
        finally:
            self._read.clear()
            if db.in_transaction:  # SQLite may have rolled back itself, as for a full disk
                db.execute("ROLLBACK")

    def rows(self, query: str, *values: object) -> list[Any]:
        """Return what a query finds. Nobody else writes, so an answer holds until we do."""
        asked = (query, values)
        if (known := self._read.get(asked)) is not None:
            return known
        try:
            found = self.connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise failure("the ledger can't be read", error) from error
        if len(found) <= _FEW:
            self._read[asked] = found
        return found

    def check(self, path: Path) -> int:
        """Return when the ledger was made; ms since 1970. Raises LedgerError if it is damaged."""
        try:
            (damage,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
            row = self.connection.execute("SELECT created_at FROM meta").fetchone()
        except sqlite3.Error as error:
            raise failure(f"the ledger {path} can't be used", error) from None
        if damage != "ok" or row is None:
            raise LedgerError(f"the ledger {path} is damaged: {damage}")
        return int(row[0])

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
