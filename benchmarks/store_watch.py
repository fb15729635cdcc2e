"""Looks into an orchestrator's SQLite store from outside, often and at next to no cost."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from benchmarks.figure import NotMeasuredError

_LOOK_S = 0.0005
_OPEN = "SELECT count(*) FROM host_runs WHERE run_id = ? AND reported_at IS NULL"

_UNANSWERED = "SELECT count(*) FROM pings WHERE nonce = ? AND ponged_at IS NULL"


class StoreWatch:
    """Waits for what others commit, on a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Open the store's file."""
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def await_reports(self, run_id: str, within: float, look_s: float = _LOOK_S) -> float:
        """Return when (time.perf_counter) the last host's report of a run was seen in the store.

        Raises NotMeasuredError with how many are missing.
        """
        return self._await(lambda: self._number(_OPEN, run_id), "reports", within, look_s)

    def await_pong(self, nonce: str, within: float) -> float:
        """Return when the answer to a ping was seen in the store. Raises NotMeasuredError."""
        return self._await(lambda: self._number(_UNANSWERED, nonce), "pongs", within, _LOOK_S)

    def _await(self, missing: Callable[[], int], what: str, within: float, look_s: float) -> float:
        deadline = time.monotonic() + within
        seen = -1
        while True:
            if (version := self._number("PRAGMA data_version")) != seen:
                seen, left = version, missing()
                if not left:
                    return time.perf_counter()
            if time.monotonic() >= deadline:
                raise NotMeasuredError(f"after {within:.0f} s {left:,} {what} are missing")
            time.sleep(look_s)

    @property
    def size(self) -> int:
        """Return the bytes of the store's pages, those included that are only in its log."""
        return self._number("PRAGMA page_count") * self._number("PRAGMA page_size")

    def newest_run(self) -> str:
        """Return the id of the run that was submitted last, or nothing."""
        query = "SELECT run_id FROM runs ORDER BY created_at DESC LIMIT 1"
        row = self._connection.execute(query).fetchone()
        return row[0] if row else ""

    def outcomes(self, run_id: str) -> dict[str, int]:
        """Count a run's host runs by their outcome."""
        query = "SELECT outcome, count(*) FROM host_runs WHERE run_id = ? GROUP BY outcome"
        return dict(self._connection.execute(query, (run_id,)).fetchall())

    def _number(self, query: str, *values: str) -> int:
        (number,) = self._connection.execute(query, values).fetchone()
        return int(number)
