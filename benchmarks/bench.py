"""What every measurement is given, and what a measurement is."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figure import Found


@dataclass(frozen=True, slots=True)
class Bench:
    """How thorough to be, and where to put files."""

    directory: Path  # for this measurement alone; removed afterwards
    quick: bool
    begun: float = field(default_factory=time.monotonic)

    def choose(self, quick: int, full: int) -> int:
        """Return a number of repeats, hosts or the like."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell whoever waits what is done now."""
        print(f"  {text} ({time.monotonic() - self.begun:.0f} s)", file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement: the figures that it gives, and how it gets them."""

    figures: tuple[str, ...]
    measure: Callable[[Bench], Iterator[Found]]
