"""Regular expressions that others write: matched by RE2, in time that grows only with the text.

Python's own `re` takes exponential time for patterns such as `(a+)+$`; whoever may write a runbook
could hold up a host with one. RE2 has no look-around and no back references, which is the price.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from contract.error import DenreiError

if TYPE_CHECKING:
    import re2  # type: ignore[import-untyped]  # the wheel has no stubs

# Of one compiled pattern, and what its search may remember: it bounds the work for a character.
_MEMORY = 256 * 1024
_MEANT = {
    "(?=": "look-ahead is not supported",
    "(?!": "look-ahead is not supported",
    "(?<": "look-behind is not supported",
    r"\Z": r"write \z for the end of the text",
    "too large": "it repeats too much",
}

# Escapes and classes are stepped over; what RE2 takes for plain braces, and others do not, is kept.
_BRACES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\{(?:,\d*|\d{5,}(?:,\d*)?)\})", re.DOTALL)


class PatternError(DenreiError):
    """A text is not a regular expression, or one that takes more than linear time."""


class Pattern:
    """A regular expression in RE2's syntax, ready for use."""

    def __init__(self, text: str) -> None:
        """Compile it. Raises PatternError."""
        self._compiled = _compile(text)

    def fits(self, text: str) -> bool:
        """Tell whether the whole text fits."""
        return self._compiled.fullmatch(_encode(text)) is not None

    def find(self, text: str) -> str | None:
        """Return what is found first: the first group if the pattern has one, else all of it."""
        found = self._compiled.search(_encode(text))
        if found is None:
            return None
        wanted: bytes = found[1 if self._compiled.groups else 0] or b""
        return wanted.decode(errors="backslashreplace")


def complaint_about_pattern(text: str) -> str:
    """Return what is wrong with a regular expression, or an empty text."""
    try:
        Pattern(text)
    except PatternError as error:
        return str(error)
    return ""


@cache
def _options() -> "re2.Options":
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def _compile(text: str) -> "re2._Regexp":
    import re2

    try:
        compiled = re2.compile(_encode(text), _options())
    except re2.error as error:
        told = error.args[0].decode(errors="backslashreplace")
        raise PatternError(f"is not a regular expression of RE2's: {told}{_hint(told)}") from None
    if braces := next(filter(None, (found[1] for found in _BRACES.finditer(text))), ""):
        told = f"{braces} repeats nothing; write {{0,9}}, at most 1000 times, or \\{{ for the brace"
        raise PatternError(f"is not a regular expression of RE2's: {told}")
    return compiled


def _hint(told: str) -> str:
    meant = next((meant for sign, meant in _MEANT.items() if sign in told), "")
    if told.endswith("(?P") or (told[-2:-1] == "\\" and told[-1].isdigit()):
        meant = "back references are not supported"
    return f"; {meant}" if meant else ""


def _encode(text: str) -> bytes:
    return text.encode(errors="backslashreplace")  # such as a file's name that is not UTF-8
