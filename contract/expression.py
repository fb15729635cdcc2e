"""Expressions in CEL (https://cel.dev): compiled and type-checked before anything is sent.

Each field of an observation is a typed variable with a dotted name (`agent.started_at`), so a
misspelt field or a comparison of a time with a number is found when the runbook is read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from math import log, log1p
from typing import TYPE_CHECKING, Any

from contract.document import Position
from contract.error import DenreiError
from contract.instant import parse_instant
from contract.pattern import complaint_about_pattern

if TYPE_CHECKING:
    from cel_expr_python import cel  # type: ignore[import-untyped]  # stubs without py.typed

Value = bool | int | str | datetime | timedelta | list[str]

# A comment or a string literal as CEL has them: raw, tripled, bytes. One that never ends goes to
# the end of the text: looking for it again from each quote would take quadratic time.
_LITERAL = re.compile(
    r"""//[^\n]*
    | \b(?:[rR][bB]?|[bB][rR])(?:"{3}.*?(?:"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|"[^"\n]*"|'[^'\n]*')
    | (?:\b[bB])?(?:
        "{3}(?:\\.|[^\\])*?(?:"{3}|\\?\Z) | '{3}(?:\\.|[^\\])*?(?:'{3}|\\?\Z)
        | "(?:\\.|[^"\\])*(?:"|\\?\Z) | '(?:\\.|[^'\\])*(?:'|\\?\Z)
    )""",
    re.DOTALL | re.VERBOSE,
)
_DOTTED = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)")
_ROOT_DOT = re.compile(r"(?:(?<=[^\w\s)\]}#])|^)\s*\.(?=\s*[A-Za-z_])")
_TYPED = re.compile(r"\b(duration|timestamp)\(\s*")
_MATCHES = re.compile(r"\bmatches\s*\(\s*")
_LOOP = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(")
_JOINING = re.compile(r"[+,]")
_REMEMBERED = 1_000  # expressions whose names are kept
_LARGEST_GROWTH = 1000  # how many times its largest value an expression may make of it
_WANTED = {
    "duration": "use h, m, s or ms (a day is '24h')",
    "timestamp": "use RFC 3339 with a zone, such as '2026-03-01T02:00:00Z'",
}
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_CEL_DURATION = re.compile(r"-?(?:\d+(?:\.\d+)?(?:h|ms|us|ns|m|s))+|0")
_WHERE = re.compile(r"<input>:(\d+):(\d+): (.*)", re.DOTALL)


class ValueType(StrEnum):
    """The types that a variable of an expression can have."""

    BOOL = "boolean"
    INT = "integer"
    STRING = "string"
    STRINGS = "list of strings"
    TIMESTAMP = "timestamp"
    DURATION = "duration"


class ExpressionError(DenreiError):
    """An expression can't be compiled (with its place), or gave an error when evaluated."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        """Keep the place inside the expression's own text, counted from 1."""
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """The text of an expression and where its first character stands in the runbook."""

    source: str
    at: Position

    def names(self) -> frozenset[str]:
        """Return every dotted name that stands outside the string literals and comments."""
        return _names(self)

    def places(self) -> Iterator[tuple[str, int]]:
        """Yield every dotted name with its offset in the source."""
        # CEL lets blanks stand around a dot, and a dot before the whole name.
        text = _ROOT_DOT.sub(lambda found: " " * len(found[0]), _without_literals(self.source))
        for found in _DOTTED.finditer(text):
            yield "".join(found[0].split()), found.start()

    def conjuncts(self) -> list["Expression"]:
        """Return the parts that `&&` joins outside brackets, to tell which of them is false."""
        parts = _split_conjunction(self.source)
        return [Expression(part.strip(), self.at) for part in parts]


@lru_cache(maxsize=_REMEMBERED)
def _names(expression: Expression) -> frozenset[str]:
    return frozenset(name for name, _ in expression.places())


@cache
def _types() -> dict[ValueType, "cel.Type"]:
    from cel_expr_python import cel

    return {
        ValueType.BOOL: cel.Type.BOOL,
        ValueType.INT: cel.Type.INT,
        ValueType.STRING: cel.Type.STRING,
        ValueType.STRINGS: cel.Type.List(cel.Type.STRING),
        ValueType.TIMESTAMP: cel.Type.TIMESTAMP,
        ValueType.DURATION: cel.Type.DURATION,
    }


class Vocabulary:
    """The typed names that the expressions of one runbook may use."""

    def __init__(self, names: Mapping[str, ValueType]) -> None:
        """Declare every dotted name with its type."""
        from cel_expr_python import cel

        self.names = dict(names)
        types = _types()
        self._environment = cel.NewEnv(variables={n: types[t] for n, t in names.items()})

    def compile(self, expression: Expression) -> "Compiled":
        """Compile and type-check.

        Raises ExpressionError with the place inside the expression.
        """
        _check_literals(expression.source)
        _check_growth(expression.source)
        self._check_patterns(expression.source)
        try:
            compiled = self._environment.compile(expression.source)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _compile_error(str(error)) from None
        return Compiled(expression, compiled)

    def _check_patterns(self, source: str) -> None:
        """See to it that the patterns in the text are such. Raises ExpressionError."""
        for call in _MATCHES.finditer(_without_literals(source)):
            literal = _LITERAL.match(source, call.end())
            if not literal:
                continue
            try:
                pattern = self._environment.compile(literal[0]).eval(data={}).plain_value()
            except (RuntimeError, TypeError, ValueError):
                continue  # no literal of CEL's, which the whole is refused for
            if isinstance(pattern, str) and (complaint := complaint_about_pattern(pattern)):
                raise _error_at(source, literal.start(), f"{pattern!r} {complaint}")


class Compiled:
    """An expression that is ready to be evaluated again and again."""

    def __init__(self, expression: Expression, compiled: "cel.Expression") -> None:
        """Pair the text with what CEL made of it."""
        self.expression = expression
        self._compiled = compiled

    @property
    def is_boolean(self) -> bool:
        """Tell whether the result is always true or false (or an error)."""
        return bool(self._compiled.return_type() == _types()[ValueType.BOOL])

    @property
    def is_text(self) -> bool:
        """Tell whether the result is always a text (or an error)."""
        return bool(self._compiled.return_type() == _types()[ValueType.STRING])

    @property
    def is_reportable(self) -> bool:
        """Tell whether the result is of a type that a report can hold."""
        from cel_expr_python import cel

        given = self._compiled.return_type()
        return any(given == each for each in (*_types().values(), cel.Type.DOUBLE))

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Evaluate to true or false.

        Raises ExpressionError for anything that is not a BOOL: CEL returns its run-time errors as
        values, and Python would take such a value for true.
        """
        result = self.value(values)
        if not isinstance(result, bool):
            raise ExpressionError(f"gave {result!r}, not true or false")
        return result

    def value(self, values: Mapping[str, Value]) -> Value:
        """Evaluate to a plain Python value. Raises ExpressionError when CEL gives an error."""
        try:
            result = self._compiled.eval(data=dict(values))
        except (RuntimeError, TypeError, ValueError) as error:
            # Such as a file's name that is not UTF-8: CEL can't take it.
            raise ExpressionError(f"can't be worked out: {error}") from None
        if result.type().name() in ("ERROR", "UNKNOWN"):
            raise ExpressionError(str(result.value()))
        plain: Any = result.plain_value()
        return plain  # type: ignore[no-any-return]


def _split_conjunction(source: str) -> list[str]:
    blank = _without_literals(source)
    parts, depth, start = [], 0, 0
    for position, character in enumerate(blank):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and blank.startswith("&&", position):
            parts.append(source[start:position])
            start = position + 2
        if depth == 0 and (character == "?" or blank.startswith("||", position)):
            return [source]
    return [*parts, source[start:]]


def _without_literals(source: str) -> str:
    """Return the source with each literal and comment blanked out, at its length."""
    return _LITERAL.sub(lambda found: "#" * len(found[0]), source)


def _check_literals(source: str) -> None:
    """See to it that durations and moments in the text are such. Raises ExpressionError."""
    for call in _TYPED.finditer(_without_literals(source)):
        found = _QUOTED.match(source, call.end())
        if not found or _is_literal(call[1], found[2]):
            continue
        message = f"{call[1]}({found[2]!r}) is not CEL: {_WANTED[call[1]]}"
        raise _error_at(source, found.start(2), message)


def _error_at(source: str, offset: int, message: str) -> ExpressionError:
    before = source[:offset]
    column = len(before) - (before.rfind("\n") + 1) + 1
    return ExpressionError(message, line=before.count("\n") + 1, column=column)


def _check_growth(source: str) -> None:
    """See to it that values don't double again and again: `[x].map(a, a + a).map(b, b + b)…`.

    Each loop can join its variable with itself, so the factors multiply; they are largest if the
    joining is spread evenly over the loops. Raises ExpressionError.
    """
    text = _without_literals(source)
    loops = len(_LOOP.findall(text))
    joins = len(_JOINING.findall(text)) - loops  # each loop has a comma of its own
    if loops and (loops + 1) * log1p(joins / (loops + 1)) > log(_LARGEST_GROWTH):
        told = "joins too much with `+` and `,` for so many of map, filter, all and exists"
        raise ExpressionError(f"{told}: what they make could grow without bounds")


def _is_literal(kind: str, text: str) -> bool:
    if kind == "duration":
        return _CEL_DURATION.fullmatch(text) is not None
    return parse_instant(text) is not None


# What CEL's parser says in its own terms, and what it means.
_SYNTAX = (
    (re.compile(r" \[INVALID_ARGUMENT\]$"), ""),
    (re.compile(r"mismatched input '<EOF>' expecting .*"), "it ends where a value is expected"),
    (re.compile(r"(?:mismatched|extraneous) input ('.*?') expecting .*"), r"\1 can't stand here"),
    (re.compile(r"token recognition error at: '= '"), "'=' compares nothing, '==' does"),
    (re.compile(r"token recognition error at: ('.*')"), r"\1 can't be read"),
)


def _compile_error(text: str) -> ExpressionError:
    found = _WHERE.search(text)
    if not found:
        return ExpressionError(text.split("\n", maxsplit=1)[0])
    message = found[3].split("\n")[0].replace(" (in container '')", "")
    message = message.replace("google.protobuf.Timestamp", "timestamp")
    message = message.replace("google.protobuf.Duration", "duration")
    for parser, people in _SYNTAX:
        message = parser.sub(people, message)
    # An overload error is told at the operator; CEL counts columns from 1 as we do.
    return ExpressionError(message, int(found[1]), int(found[2]))
