"""Durations on the worker's command line."""

from typing import Any

import click

from contract.duration import DurationError, parse_duration


class DurationText(click.ParamType[str]):
    """A duration such as 30d, kept as a text."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parse_duration(value)
        except DurationError as error:
            self.fail(str(error), param, ctx)
        return str(value)
