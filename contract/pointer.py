"""JSON Pointer (RFC 6901): the way to one value of a JSON document."""

import re

from contract.error import DenreiError

_STRAY_TILDE = re.compile(r"~(?![01])")


class PointerError(DenreiError):
    """A text is no JSON Pointer."""


def parse_pointer(text: str) -> tuple[str, ...]:
    """Return the names and indexes on the way, unescaped. Raises PointerError."""
    if text and not text.startswith("/"):
        raise PointerError(f"{text!r} is not a JSON pointer: it begins with / or is empty")
    if _STRAY_TILDE.search(text):
        raise PointerError(f"{text!r} is not a JSON pointer: write ~0 for ~ and ~1 for /")
    return tuple(p.replace("~1", "/").replace("~0", "~") for p in text.split("/")[1:])
