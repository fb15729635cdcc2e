"""One way to break the protocol, and the tests that must notice it."""

from dataclasses import dataclass
from pathlib import Path


class MovedError(Exception):
    """The code that a mutant changes is no longer there: the mutant has to follow it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of a few lines that breaks a promise."""

    name: str
    file: str
    old: str  # as it stands in the file, once
    new: str
    killers: tuple[str, ...]  # pytest's names of the tests of which at least one must fail

    def apply(self, text: str) -> str:
        """Return the file's text with the change made. Raises MovedError."""
        if (found := text.count(self.old)) != 1:
            raise MovedError(
                f"{self.name}: its old text stands {found} times in {self.file}, not once; "
                "has the code moved?"
            )
        return text.replace(self.old, self.new)

    def check(self, root: Path) -> None:
        """See that the mutant can be made. Raises MovedError."""
        self.apply((root / self.file).read_text())


def named_test(file: str, name: str) -> tuple[str, ...]:
    """Return pytest's name of one test function, all its cases."""
    return (f"tests/{file}.py::{name}",)


def crash_test(*points: str) -> tuple[str, ...]:
    """Return pytest's names of the tests that kill at these points; they must be in SMOKE."""
    test = "tests/integration/test_crash_points.py::test_kill_at_a_point_loses_and_repeats_nothing"
    return tuple(f"{test}[{point}]" for point in points)
