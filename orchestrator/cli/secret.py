"""`denrei secret`: what the store keeps encrypted for submissions and schedules."""

import sys

import click

from orchestrator.cli.completing import complete_secret
from orchestrator.cli.lazy import Group
from orchestrator.cli.output import Format, output_option

_STDIN = "-"


@click.group("secret", cls=Group)
def command() -> None:
    """Store secrets encrypted, for --secret NAME=secret:STORED and for schedules."""


@command.command("set")
@click.argument("name", shell_complete=complete_secret)
@click.argument("source", default=_STDIN)
def set_(name: str, source: str) -> None:
    """Store a secret, or replace it.

    SOURCE says where the value is: @FILE, env:VARIABLE, or - for standard input, which a terminal
    is asked for without showing it. The value itself never stands on the command line.
    """
    from orchestrator.cli.session import open_home
    from orchestrator.secret.stored import StoredSecrets

    home = open_home()
    value = _value(name, source)
    with home.open_store() as store:
        replaced = StoredSecrets.of(home, store).set(name, value, home.operator)
    click.echo(f"{'replaced' if replaced else 'set'} {name}", err=True)


@command.command("list")
@output_option
def list_(format_: Format) -> None:
    """List the stored secrets: who set each and when, never the value."""
    from orchestrator.cli.secret_view import show
    from orchestrator.cli.session import open_store

    with open_store() as store:
        show(store.secrets.all(), format_)


@command.command("remove")
@click.argument("name", shell_complete=complete_secret)
def remove(name: str) -> None:
    """Forget a stored secret; what was submitted with it goes on."""
    from orchestrator.cli.session import open_home
    from orchestrator.secret.stored import StoredSecrets

    home = open_home()
    with home.open_store() as store:
        StoredSecrets.of(home, store).remove(name)
    click.echo(f"removed {name}", err=True)


@command.command("rekey")
def rekey() -> None:
    """Encrypt every stored secret anew under a new key, and drop the old one."""
    from orchestrator.cli.session import open_home
    from orchestrator.secret.stored import StoredSecrets

    home = open_home()
    with home.open_store() as store:
        count = StoredSecrets.of(home, store).rekey()
    secrets = "1 secret" if count == 1 else f"{count} secrets"
    click.echo(f"{secrets} under a new key", err=True)


def _value(name: str, source: str) -> str:
    from orchestrator.secret.provider import SecretError
    from orchestrator.secret.source import read_outside

    if source != _STDIN:
        return read_outside(name, source)
    if sys.stdin.isatty():
        return click.prompt(name, hide_input=True, confirmation_prompt=True, err=True)
    from orchestrator.secret.local import MAX_BYTES, as_secret

    value = as_secret(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    if not value:
        raise SecretError(f"secret {name}: nothing came on standard input")
    return value
