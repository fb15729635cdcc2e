"""Letters on the wire: one that goes into a queue, and one that came out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Post:
    """A letter that is to be put into a queue."""

    queue: str
    task: str
    text: str
    overtakes: bool = False  # it is read before all that lies there


@dataclass(frozen=True, slots=True)
class Received:
    """A letter that came out of a queue."""

    task: str
    text: str
