"""Kills the process in which it is set when a crash point is reached.

It is set from outside, in a forked process only: the product knows nothing of it.
"""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

import worker.transactions
from tests.campaign.crash.point import Call, CrashPoint, Moment, Sql

_TRANSACTIONS: Any = worker.transactions


class Trap:
    """One armed crash point."""

    def __init__(self, point: CrashPoint) -> None:
        self._point = point
        self._own = os.getpid()  # a keeper is a fork of the executor, and not meant
        self._inside: Counter[Call] = Counter()
        self._passed = 0

    def set(self) -> None:
        """Wrap what has to be watched, for as long as this process lives."""
        for call in dict.fromkeys(self._point.calls):
            setattr(call.owner, call.name, self._watched(call))
        if isinstance(self._point.at, Sql):
            self._watch_statements()

    def _watched(self, call: Call) -> Callable[..., Any]:
        function = getattr(call.owner, call.name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._reached(call, Moment.BEFORE)
            self._inside[call] += 1
            try:
                result = function(*arguments, **named)
            finally:
                self._inside[call] -= 1
            self._reached(call, Moment.AFTER)
            return result

        return watched

    def _watch_statements(self) -> None:
        connect = _TRANSACTIONS.connect

        def watched(path: Path) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(path)
            connection.set_trace_callback(self._statement)
            return connection

        _TRANSACTIONS.connect = watched

        @event.listens_for(Engine, "connect")
        def watch(connection: Any, _record: Any) -> None:
            connection.set_trace_callback(self._statement)

    def _reached(self, call: Call, moment: Moment) -> None:
        if call == self._point.at and moment is self._point.moment:
            self._pass()

    def _statement(self, text: str) -> None:
        assert isinstance(self._point.at, Sql)
        if text.startswith(self._point.at.begins):
            self._pass()

    def _pass(self) -> None:
        if os.getpid() != self._own or not all(self._inside[call] for call in self._point.within):
            return
        self._passed += 1
        if self._passed == self._point.nth:
            os.kill(self._own, signal.SIGKILL)
