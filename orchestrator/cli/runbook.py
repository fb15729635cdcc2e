"""`denrei runbook`: check, list and show runbooks."""

from collections.abc import Iterator
from pathlib import Path

import click
from rich.text import Text

from contract.document import DocumentError
from contract.error import DenreiError
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.table import print_lines, stdout
from orchestrator.cli.visible import visible


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
    print_lines([Text(f"{visible(path)}: ok, {runbook.name}, {steps}, {kind}")], stdout())
    return []
