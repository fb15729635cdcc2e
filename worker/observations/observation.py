"""What every probe gives, and how it says that it could not look."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract.error import DenreiError
from contract.expression import Value
from worker.root import Root

Fields = dict[str, Value]
Probe = Callable[[Any, Root], Fields]  # takes the arguments of its own kind


class ObservationError(DenreiError):
    """An observation can't be made, which is not the same as seeing that nothing is there."""


@contextmanager
def looking_at(path: Path | str) -> Iterator[None]:
    """Turn what the system says about a path into an ObservationError."""
    try:
        yield
    except OSError as error:
        raise ObservationError(f"can't read {path}: {reason(error)}") from None


def reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
