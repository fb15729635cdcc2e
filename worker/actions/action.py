"""What an action is given besides its arguments, and what it says of itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from worker.keeper import GRACE, AwaitReadable, Ending
from worker.redaction import NO_SECRETS, Redactor
from worker.root import Root


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return True


@dataclass(frozen=True, slots=True)
class Context:
    """Where and within what bounds an action runs."""

    root: Root
    timeout: timedelta
    marker: str = ""  # told to all that the action starts, so that a recovery finds it
    lock_path: Path | None = None  # held while any of it lives
    locks: tuple[int, ...] = ()  # further locks, taken already, that are held as long
    grace: timedelta = GRACE  # between TERM and KILL
    await_readable: AwaitReadable | None = None  # what to do while it runs
    pause: Callable[[float], bool] = _sleep  # lets seconds pass; false if a cancel ended it
    redactor: Redactor = NO_SECRETS  # of the run


@dataclass(frozen=True, slots=True)
class ActionResult:
    """How an action went; whether it reached its aim is for the observations to say."""

    ok: bool
    summary: str
    ending: Ending | None = None  # of a program
    timed_out: bool = False  # the step's time was over before its end


ActionFunction = Callable[[Any, Context], ActionResult]  # takes the arguments of its own kind


def failure(doing: str, path: Path, error: OSError) -> ActionResult:
    return ActionResult(ok=False, summary=f"can't {doing} {path}: {why(error)}")


def why(error: OSError) -> str:
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
