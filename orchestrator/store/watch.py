"""Tells soon, and cheaply, that somebody else changed the store."""

import sqlite3
import time

from sqlalchemy import PoolProxiedConnection

from orchestrator.store.database import Database, StoreError

_LOOK_S = 0.02
_BLIND_S = 0.2


class ChangeWatch:
    """Waits for another connection's commit.

    SQLite counts them (`PRAGMA data_version`), so looking costs microseconds. Other databases
    don't; there every wait is short and ends as if something had changed.
    """

    def __init__(self, database: Database) -> None:
        """Begin to watch now; changes from here on are told."""
        self._database = database
        self._connection: PoolProxiedConnection | None = None
        self._seen = self._version() if database.is_sqlite else 0

    def wait(self, seconds: float) -> bool:
        """Return True once something changed, False after the time."""
        if not self._database.is_sqlite:
            time.sleep(min(seconds, _BLIND_S))
            return True
        end = time.monotonic() + seconds
        while not self._changed():
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_LOOK_S, left))
        return True

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _changed(self) -> bool:
        seen, self._seen = self._seen, self._version()
        return seen != self._seen

    def _version(self) -> int:
        # Always on the same connection: the number means nothing on another one.
        if self._connection is None:
            self._connection = self._database.engine.raw_connection()
        cursor = self._connection.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            (version,) = cursor.fetchone() or (0,)
        except sqlite3.Error as error:
            raise StoreError(f"the store fails: {error}") from error
        finally:
            cursor.close()
        return int(version)
