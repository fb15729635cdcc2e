"""`denrei version`: which Denrei this is."""

import platform

import click

from contract.version import VERSION
from orchestrator.cli.lazy import Command


def version_line() -> str:
    """Return name and version of Denrei, and of the Python it runs on."""
    return f"denrei {VERSION} (Python {platform.python_version()})"


@click.command("version", cls=Command)
def command() -> None:
    """Print the version."""
    click.echo(version_line())
