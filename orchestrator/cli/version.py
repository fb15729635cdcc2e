"""`denrei version`: which Denrei this is."""

import platform
from importlib import metadata

import click

from orchestrator.cli.lazy import Command


def version_line() -> str:
    """Return name and version of Denrei, and of the Python it runs on."""
    try:
        version = metadata.version("denrei")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    return f"denrei {version} (Python {platform.python_version()})"


@click.command("version", cls=Command)
def command() -> None:
    """Print the version."""
    click.echo(version_line())
