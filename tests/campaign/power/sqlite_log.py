"""SQLite, as apsw brings it, over a file system that tells a disk log what it does.

The files themselves are real ones. What is simulated is only how much of it a power loss leaves.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw

from tests.campaign.power.disk_log import DiskLog

_NAME = "denrei-power"
_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class _FileSystem(apsw.VFS):
    """SQLite's own file system for Unix, listened to."""

    def __init__(self, log: DiskLog) -> None:
        self._log = log
        super().__init__(_NAME, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        if filename is None:
            return super().xOpen(name, flags)
        return _File(self._log, Path(filename), name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - SQLite's
        super().xDelete(filename, syncdir)
        self._log.remove(Path(filename))
        if syncdir:
            self._log.sync_directory()


class _File(apsw.VFSFile):
    """One open file."""

    def __init__(self, log: DiskLog, path: Path, name: Any, flags: list[int]) -> None:
        # As SQLite for Unix does: the first sync of a new journal syncs its directory, too.
        self._syncs_directory = not path.exists() and bool(flags[0] & _JOURNALS)
        super().__init__("", name, flags)
        self._log, self._file = log, log.open(path)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._log.write(self._file, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._log.truncate(self._file, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._log.sync(self._file)
        if self._syncs_directory:
            self._log.sync_directory()
            self._syncs_directory = False


class _Cursor:
    """As much of the standard library's cursor as the ledger uses."""

    def __init__(self, cursor: apsw.Cursor, rowcount: int) -> None:
        self._cursor = cursor
        self.rowcount = rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()


class _Connection:
    """As much of the standard library's connection as the ledger uses."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(os.fspath(path), vfs=_NAME)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        with _as_sqlite3():
            cursor = self._db.execute(sql, tuple(values))
            return _Cursor(cursor, self._db.changes())

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        with _as_sqlite3():
            self._db.executemany(sql, [tuple(row) for row in rows])

    def executescript(self, sql: str) -> None:
        with _as_sqlite3():
            self._db.execute(sql)

    def close(self) -> None:
        self._db.close()


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error


@contextmanager
def sqlite_over(log: DiskLog) -> Iterator[None]:
    """Let everything that opens an SQLite database write what it does into a log."""

    def connect(path: Path, isolation_level: None) -> _Connection:
        assert isolation_level is None  # ours begins no transaction by itself
        return _Connection(path)

    file_system = _FileSystem(log)
    try:
        with patch.object(sqlite3, "connect", connect):
            yield
    finally:
        file_system.unregister()
