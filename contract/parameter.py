"""Parameters of a runbook: what may be given, and what a given value means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from contract.document import IMPOSSIBLE
from contract.duration import is_duration, parse_duration
from contract.error import DenreiError
from contract.expression import Value, ValueType
from contract.instant import parse_instant
from contract.pattern import Pattern
from contract.program import complaint_about_program, words_of

MAX_CHARACTERS = 8_192
PROFILE = "profile"  # the parameter that chooses among a runbook's profiles
MIN_SECRET_CHARACTERS = 6  # shorter ones can't be redacted without eating ordinary words

LARGEST = 2**53 - 1  # what every JSON reader can hold
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[^/]+)+")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class ParameterType(StrEnum):
    """The kinds of value a parameter can take."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DURATION = "duration"
    TIMESTAMP = "timestamp"
    UUID = "uuid"
    ENUM = "enum"
    COMMAND = "command"  # a program and its words, in one text
    PATH = "path"  # absolute, of a file or directory on the host


_VALUE_TYPES = {
    ParameterType.INTEGER: ValueType.INT,
    ParameterType.BOOLEAN: ValueType.BOOL,
    ParameterType.DURATION: ValueType.DURATION,
    ParameterType.TIMESTAMP: ValueType.TIMESTAMP,
}
_CAN_BE_EMPTY = {ValueType.STRING, ValueType.TIMESTAMP}


class ParameterError(DenreiError):
    """A parameter is unknown, missing, or not of its type."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. As it travels, a value is a string, an integer or a boolean."""

    name: str
    type: ParameterType = ParameterType.STRING
    summary: str = ""
    default: Any = None  # None: it must be given
    pattern: str = ""  # a regular expression that the whole value must match
    values: tuple[str, ...] = ()  # what an enum may be
    min: int = -LARGEST  # of an integer
    max: int = LARGEST
    secret: bool = False  # sealed to the host, never shown, never in an expression

    @property
    def value_type(self) -> ValueType:
        """Return the type that expressions see."""
        return _VALUE_TYPES.get(self.type, ValueType.STRING)

    @property
    def guard(self) -> str:
        """Return the expressions' name for whether it was given; empty if it always has a value."""
        may_be_absent = self.type is ParameterType.TIMESTAMP and self.default == ""
        return f"params.{self.name}.given" if may_be_absent else ""

    @property
    def names(self) -> dict[str, ValueType]:
        """Return what expressions can speak of; nothing of a secret."""
        if self.secret:
            return {}
        own = {f"params.{self.name}": self.value_type}
        return own | {self.guard: ValueType.BOOL} if self.guard else own

    def parse(self, text: str) -> Any:
        """Read a value as typed on a command line. Raises ParameterError."""
        if self.type is ParameterType.BOOLEAN and text in ("true", "false"):
            return self.accept(text == "true")
        if self.type is ParameterType.INTEGER and re.fullmatch(r"-?\d{1,18}", text):
            return self.accept(int(text))
        return self.accept(text)

    def accept(self, value: Any) -> Any:
        """Return the value if it is of this parameter's type. Raises ParameterError."""
        if self._is_left_out(value):
            return value
        complaint = self.complaint(value)
        if complaint:
            shown = "the value given" if self.secret else repr(value)
            raise ParameterError(f"parameter {self.name}: {shown} {complaint}")
        return value

    def _is_left_out(self, value: Any) -> bool:
        return bool(value == "" and self.default == "" and self.value_type in _CAN_BE_EMPTY)

    def complaint(self, value: Any) -> str:
        """Return what is wrong with a value, without repeating it; empty if nothing is."""
        if self.type is ParameterType.BOOLEAN:
            return "" if isinstance(value, bool) else "is not true or false"
        if self.type is ParameterType.INTEGER:
            return self._complaint_about_integer(value)
        if not isinstance(value, str):
            return f"is not a {self.type}"
        return self._complaint_about_text(value)

    def _complaint_about_integer(self, value: Any) -> str:
        if not isinstance(value, int) or isinstance(value, bool):
            return "is not an integer"
        if value < self.min:
            return f"is less than {self.min}"
        return f"is more than {self.max}" if value > self.max else ""

    def _complaint_about_text(self, text: str) -> str:
        """Return the first complaint of those that apply."""
        if len(text) > MAX_CHARACTERS:
            return f"is longer than {MAX_CHARACTERS} characters"
        hidden = "" if not self.pattern or self.secret else f" {self.pattern}"
        is_short = self.secret and len(text.strip()) < MIN_SECRET_CHARACTERS
        fits = not self.pattern or Pattern(self.pattern).fits(text)
        complaints = (
            (IMPOSSIBLE.search(text) is not None, "holds a NUL or is not UTF-8"),
            (is_short, f"is shorter than {MIN_SECRET_CHARACTERS} characters, too short to redact"),
            (self.type is ParameterType.UUID and not UUID.fullmatch(text), "is not a UUID"),
            (
                self.type is ParameterType.ENUM and text not in self.values,
                f"is none of: {', '.join(self.values)}",
            ),
            (
                self.type is ParameterType.DURATION and not is_duration(text),
                "is not a duration such as 30s, 5m or 60d",
            ),
            (
                self.type is ParameterType.TIMESTAMP and parse_instant(text) is None,
                "is not a moment with its zone, such as 2026-03-01T02:00:00Z",
            ),
            (
                self.type is ParameterType.PATH and not _PATH.fullmatch(text),
                "is not an absolute path such as /etc/ssl/site.pem (no `..`, no `/` too many)",
            ),
            (not fits, f"does not match its pattern{hidden}"),
            (self.type is ParameterType.COMMAND, complaint_about_program(text)),
        )
        return next((complaint for applies, complaint in complaints if applies and complaint), "")

    def to_values(self, value: Any) -> dict[str, Value]:
        """Turn an accepted value into what expressions work with, by their names for it."""
        if self.secret:
            return {}
        given = {self.guard: value != ""} if self.guard else {}
        if self.guard and value == "":
            return given
        return given | {f"params.{self.name}": self._to_value(value)}

    def _to_value(self, value: Any) -> Value:
        if self.type is ParameterType.DURATION:
            return parse_duration(value)
        moment = parse_instant(value) if self.type is ParameterType.TIMESTAMP else None
        return moment or value

    def to_text(self, value: Any) -> Any:
        """Turn an accepted value into what `${…}` puts in: of a command, its words."""
        return words_of(value) if self.type is ParameterType.COMMAND else value


def bind(
    declared: Iterable[Parameter],
    given: Mapping[str, Any],
    profiles: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Check the given values against the declaration; fill in the profile's and the defaults.

    Works on plain and secret values alike. Raises ParameterError for an unknown, missing or
    ill-typed one.
    """
    by_name = {parameter.name: parameter for parameter in declared}
    for name in given:
        if name not in by_name:
            raise ParameterError(f"unknown parameter {name!r}{did_you_mean(name, by_name)}")
    chosen = profiles.get(str(given.get(PROFILE, "")), {})
    values = {**chosen, **given}
    for parameter in by_name.values():
        if parameter.name not in values and parameter.default is None:
            fitting = [name for name, preset in profiles.items() if parameter.name in preset]
            raise ParameterError(_missing(parameter, fitting))
    return {p.name: p.accept(values.get(p.name, p.default)) for p in by_name.values()}


def _missing(parameter: Parameter, profiles: list[str]) -> str:
    way = "--secret" if parameter.secret else "-p"
    source = "@FILE" if parameter.secret else "VALUE"
    choice = f", or choose a profile that has it: {', '.join(profiles)}" if profiles else ""
    return (
        f"parameter {parameter.name} is missing; "
        f"give it with {way} {parameter.name}={source}{choice}"
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint such as `; did you mean 'ensure'?`, or the known words if none is near."""
    from difflib import get_close_matches  # only after a mistake

    words = sorted(known)
    if near := get_close_matches(word, words, n=1, cutoff=0.6):
        return f"; did you mean {near[0]!r}?"
    return f"; known are: {', '.join(words)}" if words else ""
