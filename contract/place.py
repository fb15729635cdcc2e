"""Finds a place inside an expression again in the YAML that the expression came from."""

from contract.document import Position
from contract.expression import Expression


def offset_of(source: str, line: int, column: int) -> int:
    """Return how many characters stand before a line and column, both counted from 1."""
    return sum(len(part) + 1 for part in source.split("\n")[: line - 1]) + column - 1


def place_in_yaml(text: str, expression: Expression, offset: int) -> Position:
    """Return where the character at an offset of the expression's source stands in the YAML.

    YAML folds, indents and joins the lines of a scalar, but what is not blank comes through in
    order: so it is counted. An offset behind the last character gives the place behind it.
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    number, column, quote = _start(lines, expression.at)
    source = expression.source
    before = sum(not character.isspace() for character in source[:offset])
    wants_next = offset < len(source) and not source[offset].isspace()
    nth = before + 1 if wants_next else max(before, 1)
    while number <= len(lines):
        line = lines[number - 1]
        while column < len(line):
            width = _width(line, column, quote)
            if not _is_blank(line, column, quote):
                nth -= 1
            if nth == 0:
                past = 0 if wants_next or not before else width
                return Position(number, column + past + 1)
            column += width
        number, column = number + 1, 0
    return expression.at


def _start(lines: list[str], at: Position) -> tuple[int, int, str]:
    """Return line, column from 0, and quote of where a scalar's text begins."""
    first = lines[at.line - 1][at.column - 1 : at.column]
    if first in (">", "|"):
        return at.line + 1, 0, ""
    if first in ("'", '"'):
        return at.line, at.column, first
    return at.line, at.column - 1, ""


def _is_blank(line: str, column: int, quote: str) -> bool:
    """Tell whether nothing visible comes of a character; a backslash may join lines in quotes."""
    return line[column].isspace() or (quote == '"' and line[column:] == "\\")


def _width(line: str, column: int, quote: str) -> int:
    """Return how many characters of the YAML make the next one of the expression."""
    pair = line[column : column + 2]
    is_escape = (quote == "'" and pair == "''") or (quote == '"' and pair.startswith("\\"))
    return 2 if is_escape else 1
