"""What every probe gives, and how it says that it could not look."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from contract.certificate import CertificateFact
from contract.error import DenreiError
from contract.expression import Value
from contract.pattern import Pattern, PatternError

Fields = dict[str, Value]


class CertificateFields(Fields):
    """Fields of an observation from which the fleet also learns about certificates."""

    certificates: tuple[CertificateFact, ...] = ()
    complete: bool = False  # they are all that are in use on this host


# Takes the arguments of its own kind, the root, and if it is a sparing one the fields asked for.
Probe = Callable[..., Fields]


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
    text = error.strerror or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


@lru_cache(maxsize=4)  # a step looks for the same several times
def compiled(pattern: str) -> Pattern:
    """Return a pattern ready for use. Raises ObservationError."""
    try:
        return Pattern(pattern)
    except PatternError as error:
        raise ObservationError(f"{pattern!r} {error}") from None


def found_fields(found: str | None) -> Fields:
    """Return the fields of a search."""
    return {"matches": found is not None, "matched": found or ""}
