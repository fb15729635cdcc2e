"""Counters on what the parts ask of SQLite, Redis and Python's import."""

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import redis
from sqlalchemy import Engine, event

from orchestrator.store.store import Store

_MINE = ("info", "client|setinfo", "config|resetstat", "hello", "select", "auth")


@dataclass
class Statements:
    """SQL statements and transactions that were committed."""

    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)  # those of each
    commits: int = 0

    @property
    def count(self) -> int:
        """Return how many statements there were; one for many rows is one."""
        return len(self.texts)


@contextmanager
def statements(store: Store) -> Iterator[Statements]:
    """Count what a store's database is asked for, for a while."""
    engine: Engine = store._database.engine
    found = Statements()

    def execute(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:
        if not text.startswith("BEGIN"):
            found.texts.append(text)
            found.values.append(values)

    def commit(_connection: object) -> None:
        found.commits += 1

    event.listen(engine, "before_cursor_execute", execute)
    event.listen(engine, "commit", commit)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", execute)
        event.remove(engine, "commit", commit)


def plans(store: Store, asked: Statements) -> list[str]:
    """Return how SQLite goes about statements that read: one line for each table or sorting."""
    with store._database.reading() as connection:
        return [
            row.detail
            for text, values in zip(asked.texts, asked.values, strict=True)
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        ]


@contextmanager
def instructions(store: Store) -> Iterator[Counter[str]]:
    """Count the instructions of SQLite's machine that statements take, for a while, as `steps`.

    They grow with the rows and entries of indices that are looked at.
    """
    found: Counter[str] = Counter()

    def step() -> None:
        found["steps"] += 1

    with store._database.reading() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # the pool's only one: the next reader's, too
    driver.set_progress_handler(step, 1)
    try:
        yield found
    finally:
        driver.set_progress_handler(None, 1)


@contextmanager
def commands(broker: str) -> Iterator[Counter[str]]:
    """Count what a Redis server is asked for, for a while, by the names of its commands."""
    found: Counter[str] = Counter()
    with redis.Redis.from_url(broker) as client:
        client.config_resetstat()
        yield found
        for name, told in client.info("commandstats").items():
            command = name.removeprefix("cmdstat_")
            if command not in _MINE:
                found[command] += told["calls"]


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Count the functions that this thread calls for a while, Python's and C's, as `calls`.

    What a machine computes grows with them, however fast it is.
    """
    found: Counter[str] = Counter()

    def look(_frame: FrameType, what: str, _argument: object) -> None:
        if what in ("call", "c_call"):
            found["calls"] += 1

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(None)


def imported(log: str) -> set[str]:
    """Return the modules that a process imported, by what PYTHONPROFILEIMPORTTIME made it write."""
    lines = (line for line in log.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}
