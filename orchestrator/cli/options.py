"""Types of values on the command line, and options that several commands share."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from contract.duration import DurationError, parse_duration
from contract.instant import from_datetime, now_ms


class Duration(click.ParamType[timedelta]):
    """A duration such as 30s, 5m or 1h30m."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read the duration; what is wrong with it becomes a usage error."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except DurationError as error:
            self.fail(str(error), param, ctx)


class Since(click.ParamType[int]):
    """A moment in the past: how long ago (`3d`), or a date with or without a time."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds since 1970; a time without a zone is local."""
        if isinstance(value, int):
            return value
        try:
            return now_ms() - round(parse_duration(value).total_seconds() * 1000)
        except DurationError:
            pass
        try:
            return from_datetime(datetime.fromisoformat(value).astimezone())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither a duration such as 3d nor a date", param, ctx)


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value: `k=v`."""

    name = "k=v"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not (name and equals):
            # The value itself stays unsaid: somebody may have typed a secret.
            self.fail("write it as name=value", param, ctx)
        return name, rest


def pairs(
    ctx: click.Context, param: click.Parameter, value: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Turn repeated `k=v` into a mapping; a name given twice is a mistake."""
    names = [name for name, _ in value]
    if twice := next((name for name in names if names.count(name) > 1), None):
        message = f"{twice!r} is given twice"
        raise click.BadParameter(message, ctx, param)
    return dict(value)


def pair_option(*declarations: str, summary: str) -> Callable[..., Any]:
    """Return an option that takes `k=v` repeatedly and gives a mapping."""
    return click.option(*declarations, type=Pair(), multiple=True, callback=pairs, help=summary)


def timeout_option(summary: str, default: str | None = None) -> Callable[..., Any]:
    """Return `--timeout DURATION`."""
    return click.option(
        "--timeout", type=Duration(), default=default, show_default=bool(default), help=summary
    )


def since_option() -> Callable[..., Any]:
    """Return `--since WHEN`."""
    return click.option(
        "--since", type=Since(), help="Only what is newer: 3d, 12h, or 2026-03-01T08:00."
    )


def runbooks_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--runbooks DIR` to a command."""
    return click.option(
        "--runbooks",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Look for runbooks here first.",
    )(function)


def passphrase_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--passphrase` to a command that makes keys."""
    return click.option(
        "--passphrase", is_flag=True, help="Put the key under a passphrase, and ask for it."
    )(function)


def ssh_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--ssh FILE` to a command that takes a person's key."""
    return click.option(
        "--ssh",
        type=click.Path(path_type=Path),
        metavar="FILE.pub",
        help="The key is one in ssh-agent, whose public half this is.",
    )(function)
