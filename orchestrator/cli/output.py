"""The formats that data can be asked for in, and how a document becomes each of them."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import click

SCHEMA_VERSION = 1

Document = dict[str, Any]


class Format(StrEnum):
    """How to write data to stdout."""

    TABLE = "table"  # for people
    JSON = "json"  # one document
    JSONL = "jsonl"  # one line per item
    YAML = "yaml"  # one document


def output_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-o/--format` to a command."""
    return click.option(
        "-o",
        "--format",
        "format_",
        type=click.Choice([f.value for f in Format]),
        default=Format.TABLE.value,
        show_default=True,
        callback=lambda _ctx, _param, value: Format(value),
        help="How to write the result to stdout.",
    )(function)


def emit(format_: Format, document: Document, items: Sequence[Document]) -> None:
    """Write a document, or its items one per line, in a format for machines.

    Everything outside ASCII is escaped: hosts may have put anything into it.
    """
    if format_ is Format.JSONL:
        for item in items:
            click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **item}))
        return
    whole = {"schema_version": SCHEMA_VERSION, **document}
    if format_ is Format.YAML:
        import yaml

        click.echo(yaml.safe_dump(whole, sort_keys=False, allow_unicode=False), nl=False)
        return
    click.echo(json.dumps(whole, indent=2))
