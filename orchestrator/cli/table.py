"""Tables of text that stay readable at 80 columns: rows of cells, and notes indented below them."""

import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from orchestrator.cli.visible import visible

_GAP = 2
_NOTE_INDENT = 4
_NARROWEST = 8  # no column is cut below this
_UNCUT = 1_000_000  # a width that nothing reaches: for files and pipes

# What a state or an outcome looks like; any other word stays plain.
_COLOURS = {
    "ok": "green",
    "succeeded": "green",
    "changed": "yellow",
    "would_change": "yellow",
    "consuming": "green",
    "skewed": "yellow",
    "silent": "red",
    "offline": "red",
    "running": "cyan",
    "delivered": "cyan",
    "failed": "red",
    "refused": "red",
    "timed_out": "red",
    "unknown": "magenta",
    "expired": "magenta",
    "cancelled": "magenta",
    "cancelling": "magenta",
    "awaiting": "yellow",
    "fresh": "green",
    "expiring": "yellow",
    "not_yet_valid": "yellow",
    "stale_in_memory": "red",
    "split": "red",
    "wrong_name": "red",
    "key_mismatch": "red",
    "missing": "red",
    "unreadable": "magenta",
    "unreachable": "magenta",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of cells, and whole sentences that belong below it."""

    cells: Sequence[str]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; the widest cells are cut when the screen is too narrow."""

    header: Sequence[str]
    rows: Sequence[Row] = field(default_factory=list)

    def lines(self, width: int = _UNCUT) -> Iterator[Text]:
        """Yield the lines of the table, no line wider than `width`."""
        widths = self._widths(width)
        yield Text(_join([title.upper() for title in self.header], widths), style="bold")
        for row in self.rows:
            yield coloured(_join([visible(cell) for cell in row.cells], widths), row.cells)
            for note in row.notes:
                yield from note_lines(note, width)

    def _widths(self, width: int) -> list[int]:
        cells = [self.header, *(row.cells for row in self.rows)]
        widths = [
            max(cell_len(visible(cell)) for cell in column) for column in zip(*cells, strict=True)
        ]
        room = width - _GAP * (len(widths) - 1)
        while sum(widths) > room and max(widths) > _NARROWEST:
            widest = widths.index(max(widths))
            widths[widest] -= 1
        return widths


def note_lines(note: str, width: int, indent: int = _NOTE_INDENT) -> list[Text]:
    """Return a sentence as indented lines that end before the screen does."""
    if width >= _UNCUT:
        return [Text(" " * indent + visible(note))]
    wrapped = textwrap.wrap(visible(note), max(width - indent, 20), break_on_hyphens=False)
    return [Text(" " * indent + line, style="dim") for line in wrapped]


def coloured(line: str, words: Sequence[str]) -> Text:
    """Return a line in which the words that name a state or an outcome have its colour."""
    text = Text(line)
    for word in words:
        if colour := _COLOURS.get(word):
            text.highlight_words([word], Style.parse(colour))
    return text


def print_lines(lines: Iterator[Text] | Sequence[Text], console: Console | None = None) -> None:
    """Write lines as they are: no wrapping, no markup, no cutting."""
    target = console or stdout()
    for line in lines:
        target.print(line, soft_wrap=True, highlight=False)


def print_table(table: Table) -> None:
    """Write a table to stdout: fitted to a terminal, uncut into a file or pipe."""
    console = stdout()
    print_lines(table.lines(width_of(console)), console)


def stdout() -> Console:
    """Return the console for data."""
    return Console(highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """Return the console for progress."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def width_of(console: Console) -> int:
    """Return how wide lines may be: as $COLUMNS asks, a terminal's width, or no limit at all."""
    return console.width if console.is_terminal or "COLUMNS" in os.environ else _UNCUT


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [_fit(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return (" " * _GAP).join(fitted).rstrip()


def _fit(cell: str, width: int) -> str:
    if cell_len(cell) <= width:
        return set_cell_size(cell, width)
    return set_cell_size(cell, width - 1) + "…"
