"""Reads nodes into typed values and collects what is wrong instead of stopping at the first."""

import re
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from contract.document import DocumentError, Node, Position, Problem
from contract.duration import DurationError, parse_duration
from contract.expression import Expression
from contract.parameter import did_you_mean
from contract.pattern import complaint_about_pattern

E = TypeVar("E", bound=StrEnum)


def is_integer(value: Any) -> bool:
    """Tell whether a value is an integer and not a boolean, which Python takes for one."""
    return isinstance(value, int) and not isinstance(value, bool)


class Reader:
    """Takes values out of mappings; each complaint keeps its place in the text."""

    def __init__(self) -> None:
        """Begin without complaints."""
        self.problems: list[Problem] = []

    def complain(self, at: Position, message: str) -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(at, message))

    def check(self, file: str) -> None:
        """Raise DocumentError if there was anything to complain of."""
        if self.problems:
            raise DocumentError(file, self.problems)

    def mapping(
        self, node: Node, known: Sequence[str], required: Sequence[str] = (), what: str = "this"
    ) -> dict[str, Node]:
        """Return the mapping's members; complain of unknown and missing ones."""
        if not isinstance(node.value, dict):
            self.complain(node.at, f"{what} must be a mapping")
            return {}
        for name in node.value:
            if name not in known:
                hint = did_you_mean(name, known)
                self.complain(node.key_at[name], f"{what} has no {name!r}{hint}")
        for name in required:
            if name not in node.value:
                self.complain(node.at, f"{what} needs {name!r}")
        return {name: child for name, child in node.value.items() if name in known}

    def single(self, node: Node, what: str) -> tuple[str, Node | None]:
        """Return the one kind that a mapping names, and its arguments."""
        if not isinstance(node.value, dict) or len(node.value) != 1:
            self.complain(node.at, f"{what} needs exactly one kind, such as `file: {{path: /x}}`")
            return "", None
        ((kind, arguments),) = node.value.items()
        return kind, arguments

    def text(self, fields: dict[str, Node], name: str) -> str:
        """Return a text, or the empty one if it is not there."""
        if name not in fields:
            return ""
        node = fields[name]
        if not isinstance(node.value, str):
            self.complain(node.at, f"{name} must be text; quote it if it looks like something else")
            return ""
        return node.value

    def name(self, fields: dict[str, Node], name: str, pattern: re.Pattern[str]) -> str:
        """Return a text that fits a pattern for names."""
        text = self.text(fields, name)
        is_text = name in fields and isinstance(fields[name].value, str)
        if is_text and not pattern.fullmatch(text):
            self.complain(fields[name].at, f"{text!r} is no name: use a-z, 0-9, - and _")
        return text

    def texts(self, fields: dict[str, Node], name: str) -> list[str]:
        """Return a list of texts, or an empty one if it is not there."""
        if name not in fields:
            return []
        node = fields[name]
        items = node.value if isinstance(node.value, list) else []
        if not items or not all(isinstance(item.value, str) for item in items):
            self.complain(node.at, f"{name} must be a list of texts")
            return []
        return [item.value for item in items]

    def integer(self, fields: dict[str, Node], name: str, default: int) -> int:
        """Return a whole number, or the default if it is not there."""
        if name not in fields:
            return default
        value = fields[name].value
        if not is_integer(value):
            self.complain(fields[name].at, f"{name} must be a whole number")
            return default
        return int(value)

    def boolean(self, fields: dict[str, Node], name: str) -> bool:
        """Return true or false; false if it is not there."""
        if name not in fields:
            return False
        value = fields[name].value
        if not isinstance(value, bool):
            self.complain(fields[name].at, f"{name} must be true or false")
        return value is True

    def duration(self, fields: dict[str, Node], name: str, default: timedelta) -> timedelta:
        """Return a duration such as `30s`, or the default if it is not there."""
        if name not in fields:
            return default
        node = fields[name]
        try:
            return parse_duration(str(node.value))
        except DurationError as error:
            self.complain(node.at, f"{name}: {error}")
            return default

    def pattern(self, fields: dict[str, Node], name: str) -> str:
        """Return a regular expression that compiles."""
        text = self.text(fields, name)
        if complaint := complaint_about_pattern(text):
            self.complain(fields[name].at, f"{name} {complaint}")
            return ""
        return text

    def choice(self, fields: dict[str, Node], name: str, options: type[E], default: E) -> E:
        """Return a member of an enum, or the default if it is not there."""
        if name not in fields:
            return default
        value = fields[name].value
        values = [option.value for option in options]
        if value not in values:
            hint = did_you_mean(str(value), values)
            self.complain(fields[name].at, f"{name} can't be {value!r}{hint}")
            return default
        return options(value)

    def expression(self, fields: dict[str, Node], name: str) -> Expression:
        """Return the expression's text; YAML's other types get a hint to quote it."""
        node = fields.get(name)
        if node is None:
            return Expression("false", Position(1, 1))
        if isinstance(node.value, bool):
            return Expression("true" if node.value else "false", node.at)
        if not isinstance(node.value, str) or not node.value.strip():
            message = f"{name} must be an expression; one that begins with '[' or '{{' needs a "
            self.complain(node.at, message + "block scalar: put '>-' after the key")
            return Expression("false", node.at)
        return Expression(node.value, node.at)
