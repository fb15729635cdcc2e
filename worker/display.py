"""How the worker's commands write for people and for machines."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from contract.instant import show_instant, to_datetime

SCHEMA_VERSION = 1

Document = dict[str, Any]


def emit(document: Document, *, indent: int | None = 2) -> None:
    """Write one document for machines; everything outside ASCII is escaped."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=indent))


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of cells, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def plain(text: str) -> str:
    """Return a text as one line in which nothing acts on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def stamp(ms: int | None) -> str:
    """Return the local date and time to the second."""
    return "-" if ms is None else _local(ms).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(ms: int | None) -> str | None:
    """Return a moment for machines: RFC 3339 in UTC."""
    return None if ms is None else show_instant(to_datetime(ms))


def _local(ms: int) -> datetime:
    return to_datetime(ms).astimezone()
