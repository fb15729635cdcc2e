"""What every campaign is asked for, and what it has to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scale(StrEnum):
    """How much of a campaign is run."""

    SMOKE = "smoke"  # seconds: a part of the test suite
    QUICK = "quick"  # all campaigns together within ten minutes on two cores
    FULL = "full"  # as long as it takes


@dataclass(frozen=True, slots=True)
class Tally:
    """What a campaign tried, and each promise that it found broken."""

    counts: Mapping[str, int]
    violations: tuple[str, ...] = field(default=())  # a sentence each, with what replays it


Campaign = Callable[[Scale, int], Tally]  # the same seed makes the same attempts
