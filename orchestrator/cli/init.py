"""`denrei init`: makes the home."""

import getpass
import os

import click

from orchestrator.cli.lazy import Command


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


@click.command("init", cls=Command)
@click.option(
    "--broker",
    default="redis://127.0.0.1:6379/0",
    show_default=True,
    metavar="URL",
    help="Where Redis is.",
)
@click.option(
    "--operator",
    default=_operator,
    show_default="your login name",
    metavar="NAME",
    help="Who signs the orders.",
)
@click.option("--store", default="", metavar="URL", help="The database.  [default: a file there]")
def command(broker: str, operator: str, store: str) -> None:
    """Make a home: keys that only you can read, an empty store, and the configuration."""
    from orchestrator.cli.session import home_path
    from orchestrator.home import Home

    home = Home.create(home_path(), broker, operator, store)
    click.echo(f"home      {home.path}")
    click.echo(f"operator  {home.operator}")
    click.echo(f"root key  {home.root_key}")
    for line in (
        "",
        "Next:",
        "  denrei server                  keep it running",
        "  denrei host enrol NAME         prints a token for a host",
        "on the host:",
        "  denrei-worker enrol TOKEN      makes its keys and becomes a member",
        "  denrei-worker run              keep it running",
        "then here:",
        "  denrei submit check --all",
    ):
        click.echo(line, err=True)
