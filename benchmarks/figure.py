"""What a measurement comes to: a figure with its repeats, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


class NotMeasuredError(Exception):
    """Something can't be measured here; the message says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured several times."""

    name: str
    unit: str
    samples: tuple[float, ...]
    how: str = ""  # what exactly was measured, in a sentence

    @property
    def median(self) -> float:
        """Return what is told as the figure."""
        return median(self.samples)

    @property
    def least(self) -> float:
        """Return the smallest of the repeats."""
        return min(self.samples)

    @property
    def most(self) -> float:
        """Return the largest of the repeats."""
        return max(self.samples)


@dataclass(frozen=True, slots=True)
class Missing:
    """A quantity that was not measured."""

    name: str
    reason: str


Found = Figure | Missing


def figure(name: str, unit: str, samples: Sequence[float], how: str = "") -> Figure:
    """Return a figure of at least one repeat. Raises NotMeasuredError without any."""
    if not samples:
        raise NotMeasuredError("no repeat came to its end")
    return Figure(name, unit, tuple(samples), how)
