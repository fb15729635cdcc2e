"""Strict YAML: one document of plain nodes, each knowing its line and column.

The rules are those of Denrei's runbooks: no anchors, tags, merge keys or duplicate keys; `no`,
`010` and `12:30:45` stay strings; sizes are limited before anything is built.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from contract.error import DenreiError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_NODES = 5_000

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_PLAIN: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
# C0 and C1 controls, Unicode's line breaks, bidirectional overrides, zero-width characters, tags,
# and what is no character at all: they hide what a text says, or where its lines end.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# What an escape in double quotes can still bring in, and no file, program or message can take.
IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}")
_EXPRESSION_HINT = (
    "; an expression that begins with '!', a quote or '[', or contains ': ', "
    "needs a block scalar: put '>-' after the key and the expression on the next line"
)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a text, and where."""

    at: Position
    message: str


class DocumentError(DenreiError):
    """A text is not what it should be; `problems` says where."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        """Keep the problems in the order of the text."""
        self.file = file
        self.problems = sorted(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return each problem as `file:line:column: message`."""
        return [f"{self.file}:{p.at.line}:{p.at.column}: {p.message}" for p in self.problems]


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document: a scalar, a list of nodes, or a mapping of names to nodes."""

    value: Any
    at: Position
    key_at: dict[str, Position] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the value without positions, as JSON would have it."""
        if isinstance(self.value, dict):
            return {name: child.plain() for name, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def find(self, path: list[str | int]) -> "Node":
        """Return the deepest node that exists along a path of keys and indices."""
        node = self
        for part in path:
            try:
                node = node.value[part]
            except (KeyError, IndexError, TypeError):
                break
        return node


class _RuleError(Exception):
    """Raised while building: the document breaks a rule at a place."""

    def __init__(self, at: Position, message: str) -> None:
        self.problem = Problem(at, message)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


def _position_of(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def read_document(data: bytes, file: str) -> Node:
    """Turn YAML bytes into nodes.

    Raises DocumentError with one problem when the bytes break a rule.
    """
    text = _decode(data, file)
    try:
        return _Builder(text).document()
    except _RuleError as error:
        raise DocumentError(file, [error.problem]) from None
    except yaml.MarkedYAMLError as error:
        raise DocumentError(file, [_explain(error, text)]) from None
    except (ValueError, OverflowError):  # PyYAML lets chr() fail
        found = _BEYOND_UNICODE.search(text)
        at = _position_of(text, found.start()) if found else Position(1, 1)
        raise DocumentError(file, [Problem(at, "this escape is no character")]) from None


def _decode(data: bytes, file: str) -> str:
    start = Position(1, 1)
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES // 1024} KiB ({len(data)} bytes)"
        raise DocumentError(file, [Problem(start, message)])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start}"
        raise DocumentError(file, [Problem(start, message)]) from None
    text = text.replace("\r\n", "\n")
    if found := _HIDDEN.search(text):
        at = _position_of(text, found.start())
        message = f"hidden or control character U+{ord(found[0]):04X}; remove it"
        raise DocumentError(file, [Problem(at, message)])
    return text


def _explain(error: yaml.MarkedYAMLError, text: str) -> Problem:
    at = _position(error.problem_mark or error.context_mark)
    lines = text.split("\n")
    line = lines[at.line - 1] if at.line <= len(lines) else ""
    message = f"not YAML: {error.problem or error.context}"
    if re.match(r"\s*(?:- )?[\w.]+:\s+\S", line):
        message += _EXPRESSION_HINT
    return Problem(at, message)


class _Builder:
    """Builds nodes from PyYAML's parse events, one rule after another, without its constructors."""

    def __init__(self, text: str) -> None:
        # The pure-Python parser on purpose: the C one crashes on deep nesting.
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._count = 0

    def document(self) -> Node:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _RuleError(_position(start.start_mark), "the file is empty")
        root = self._node(next(self._events), depth=1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _RuleError(
                _position(after.start_mark), "a second document begins here; write one per file"
            )
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._check(event, depth)
        at = _position(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event, at), at)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self._items(depth)), at)
        return self._mapping(at, depth)

    def _check(self, event: yaml.Event, depth: int) -> None:
        self._count += 1
        at = _position(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _RuleError(at, "anchors and aliases are not allowed; write the value out")
        if getattr(event, "tag", None):
            raise _RuleError(at, "tags are not allowed" + _EXPRESSION_HINT)
        if depth > MAX_DEPTH:
            raise _RuleError(at, f"nested deeper than {MAX_DEPTH} levels")
        if self._count > MAX_NODES:
            raise _RuleError(at, f"more than {MAX_NODES} values")

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, at: Position, depth: int) -> Node:
        values: dict[str, Node] = {}
        key_at: dict[str, Position] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._key(event, depth, key_at)
            key_at[name] = _position(event.start_mark)
            values[name] = self._node(next(self._events), depth + 1)
        return Node(values, at, key_at)

    def _key(self, event: yaml.Event, depth: int, seen: dict[str, Position]) -> str:
        self._check(event, depth)
        if not isinstance(event, yaml.ScalarEvent):
            raise _RuleError(_position(event.start_mark), "a key must be a plain name")
        name = _text(event, _position(event.start_mark))
        if name == "<<":
            raise _RuleError(
                _position(event.start_mark), "merge keys are not allowed; write the values out"
            )
        if name in seen:
            first = seen[name]
            message = f"{name!r} is here twice (first at {first.line}:{first.column})"
            raise _RuleError(_position(event.start_mark), message)
        return name


def _text(event: yaml.ScalarEvent, at: Position) -> str:
    text = str(event.value)
    if found := IMPOSSIBLE.search(text):
        raise _RuleError(at, f"holds U+{ord(found[0]):04X}, which no text can hold")
    return text


def _scalar(event: yaml.ScalarEvent, at: Position) -> Any:
    text = _text(event, at)
    if not event.implicit[0]:
        return text
    if text in _PLAIN:
        return _PLAIN[text]
    return int(text) if _INTEGER.fullmatch(text) else text
