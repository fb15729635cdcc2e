"""Waiting in tests: for a condition, with a deadline, and never for a length of time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.02


def eventually(predicate: Callable[[], T], *, within: float = 10.0, what: str = "") -> T:
    """Ask until the answer is true and return it; fail the test, naming `what`, when time is up."""
    deadline = time.monotonic() + within
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(
                f"not within {within:g} s: {what or predicate!r} (last: {answer!r})"
            )
        time.sleep(POLL_S)
