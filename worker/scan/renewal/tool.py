"""What a renewal tool looks after."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from worker.scan.files import Files


@dataclass(frozen=True, slots=True)
class Renewed:
    """The files of one certificate that a tool renews."""

    tool: str
    paths: tuple[str, ...]
    scheduled: bool  # a timer or cron starts it


Tool = Callable[[Files], Iterable[Renewed]]
