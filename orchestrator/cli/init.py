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
        "Next, on each host:",
        "  denrei-worker init ...              makes the host's keys",
        "then here:",
        "  denrei host add NAME PUBLIC_FILE    with the host's public file",
        "and on the host:",
        "  denrei-worker trust WELCOME         with what that printed",
        "  denrei server                       keep it running",
        "  denrei submit check --all",
    ):
        click.echo(line, err=True)
