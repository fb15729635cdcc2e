"""`denrei runbook`: check, list and show runbooks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.document import DocumentError
from contract.error import DenreiError
from orchestrator.cli.completing import complete_runbook
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.options import runbooks_option
from orchestrator.cli.output import Format, output_option
from orchestrator.cli.visible import visible

if TYPE_CHECKING:
    from orchestrator.library import Library


class LintError(DenreiError):
    """A path that was to be checked can't be read."""


@click.group("runbook", cls=Group)
def command() -> None:
    """Check, list and show runbooks."""


@command.command("lint")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def lint(paths: tuple[str, ...]) -> ExitCode:
    """Check runbooks; a directory stands for every .yaml file in it.

    Each problem is told as file:line:column. Exits 2 if there is one.
    """
    problems = [line for path in _files(paths) for line in _check(path)]
    for line in problems:
        click.echo(visible(line))
    return ExitCode.USAGE if problems else ExitCode.OK


@command.command("list")
@runbooks_option
@output_option
def list_(runbooks: Path | None, format_: Format) -> None:
    """List the runbooks that can be submitted by name."""
    from orchestrator.cli.runbook_view import show_runbooks

    show_runbooks(_library(runbooks).list(), format_)


@command.command("show")
@click.argument("name", shell_complete=complete_runbook)
@runbooks_option
def show(name: str, runbooks: Path | None) -> None:
    """Print a runbook's YAML; on stderr, where it was found."""
    from orchestrator.cli.runbook_view import show_runbook

    show_runbook(_library(runbooks).find(name))


def _library(folder: Path | None) -> "Library":
    """Return the library; without a home, the shipped runbooks can still be looked at."""
    from orchestrator.cli.session import open_home
    from orchestrator.home import HomeError
    from orchestrator.library import Library

    try:
        return open_home().library(folder)
    except HomeError:
        return Library(folder)


def _files(paths: tuple[str, ...]) -> Iterator[Path]:
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        found = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        if not found:
            raise LintError(f"no .yaml file in {path}")
        yield from found


def _check(path: Path) -> list[str]:
    from contract.loader import load_runbook

    try:
        runbook = load_runbook(path.read_bytes(), str(path))
    except OSError as error:
        return [f"{path}: can't read: {error.strerror}"]
    except DocumentError as error:
        return error.lines()
    steps = "1 step" if len(runbook.steps) == 1 else f"{len(runbook.steps)} steps"
    kind = "changes" if runbook.changes else "only looks"
    click.echo(f"{visible(path)}: ok, {runbook.name}, {steps}, {kind}")
    return []
