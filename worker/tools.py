"""What steps are carried out with: the executor's means, and what one pass shares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.ledger import Ledger
from worker.proc import boot_clock
from worker.redaction import Redactor
from worker.root import Root
from worker.view import View

# Takes seconds, and what tells that it must end early; tells whether all of the time has passed.
Pause = Callable[[float, Callable[[], bool]], bool]


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying out a step needs of its surroundings."""

    root: Root
    ledger: Ledger
    locks: Path  # the directory of lock files
    pause: Pause  # lets time pass, taking letters in meanwhile
    await_readable: Callable[[int], None]  # waits for a descriptor, taking letters in meanwhile
    is_stopping: Callable[[], bool]  # the executor was asked to end: park between two steps
    held: tuple[int, ...] = ()  # the run's own locks, shared with what keeps its commands


@dataclass(frozen=True, slots=True)
class Setting:
    """What the steps of one pass share."""

    view: View
    texts: Mapping[str, Any]  # the values of every `${…}`, secrets among them
    redactor: Redactor
    check: bool
    deadline: float  # of the whole run, on the boot clock
    closed: str = ""  # why nothing new may begin in this pass

    @property
    def remaining(self) -> float:
        """Return how many seconds the run has left; none or less when its time is over."""
        return self.deadline - boot_clock()


class Parked(Exception):  # noqa: N818 - not an error: the next executor goes on from here
    """The executor is to end; the run stays open in the ledger."""
