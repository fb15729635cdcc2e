"""The option `-o`: how a command writes its result."""

from collections.abc import Callable
from typing import Any

import click


def output_option(*formats: str) -> Callable[..., Any]:
    """Give a command the argument `format_`, one of these; the first is the default."""
    return click.option(
        "-o",
        "--format",
        "format_",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to write the result to stdout.",
    )
