"""`denrei init`: makes the home, of a new fleet or of one more person of one that is there."""

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.lazy import Command
from orchestrator.cli.options import passphrase_option, ssh_option
from orchestrator.cli.session import operator_name

if TYPE_CHECKING:
    from orchestrator.home import Home
    from orchestrator.key_file import NewKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed."""

    broker: str
    operator: str
    store: str
    join: bool
    passphrase: bool
    ssh: Path | None


def _operator() -> str:
    try:
        return operator_name() or getpass.getuser()
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
@click.option(
    "--store", default="", metavar="URL", help="The database, or a file.  [default: a file there]"
)
@click.option("--join", is_flag=True, help="Share the store of a fleet that somebody founded.")
@passphrase_option
@ssh_option
def command(**options: Any) -> None:
    """Make a home: keys that only you can read, an empty store, and the configuration.

    With --join it is the home of one more person: the store is the others', and only that person's
    key is made.
    """
    request = Request(**options)
    if request.join:
        _join(request)
    else:
        _found(request)


def _found(request: Request) -> None:
    from orchestrator.cli.session import home_path
    from orchestrator.home import Home

    keys = _keys(request, home_path())
    store = _store_url(request.store)
    home = Home.create(home_path(), request.broker, request.operator, store, keys)
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


def _join(request: Request) -> None:
    from orchestrator.cli.session import home_path
    from orchestrator.home import Home

    if not request.store:
        raise click.UsageError("--join needs --store: the database that the others use")
    keys = _keys(request, home_path())
    store = _store_url(request.store)
    _tell_joined(Home.join(home_path(), request.broker, request.operator, store, keys), keys)


def _tell_joined(home: "Home", keys: "NewKeys") -> None:
    from orchestrator.succession import keyring_in_force

    public = home.operator_key(keys.known).public
    with home.open_store() as store:
        keyring = keyring_in_force(home, store)
    click.echo(f"home      {home.path}")
    click.echo(f"operator  {home.operator}")
    click.echo(f"public    {public.text}")
    click.echo(f"roots     {home.roots}")
    role = "" if any(person.name == home.operator for person in keyring.people) else " --role ROLE"
    for line in (
        "",
        "See that the others have the same roots, in the last lines of",
        "  denrei key list",
        "and let one of them, who has a root's key, put yours in:",
        f"  denrei key add {home.operator} {public.text}{role}",
    ):
        click.echo(line, err=True)


def _keys(request: Request, home: Path) -> "NewKeys":
    from orchestrator.cli.passphrase import new_passphrase, passphrases
    from orchestrator.key_file import NewKeys
    from orchestrator.ssh.public_key import read_public_key

    passphrase = new_passphrase(home / "keys") if request.passphrase else None
    ssh = read_public_key(request.ssh) if request.ssh else None
    known = passphrases() if passphrase is None else lambda _path: passphrase
    return NewKeys(passphrase, ssh, known)


def _store_url(store: str) -> str:
    return store if not store or "://" in store else f"sqlite:///{Path(store).absolute()}"
