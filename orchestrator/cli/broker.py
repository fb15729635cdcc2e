"""`denrei broker`: the broker's users and settings."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.completing import complete_host
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from orchestrator.home import Home
    from orchestrator.store.store import Store


@click.group("broker", cls=Group)
def command() -> None:
    """Make and revoke the broker's users; check how it is set up."""


@command.command("acl")
@click.option(
    "--redis",
    "version",
    default="7.2",
    show_default=True,
    metavar="VERSION",
    callback=lambda _ctx, _param, value: _version(value),
    help="The Redis that is to read it: one before 7.2 knows less.",
)
def acl(version: tuple[int, ...]) -> None:
    """Print the broker's rules, for those who manage it themselves.

    Redis' ACL file, or RabbitMQ's definitions. They hold hashes of passwords, never a password. A
    host needs one first: `denrei broker password NAME`.
    """
    from orchestrator.broker.admin import known_users
    from orchestrator.broker.kind import kind_of
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store:
        click.echo(kind_of(home.broker).rules(home, known_users(home, store), version), nl=False)
        _tell_missing(home, store)


@command.command("apply")
@click.option("--check", is_flag=True, help="Only say what would be changed.")
def apply(*, check: bool) -> ExitCode:
    """Make, change and revoke users so that they fit the inventory.

    Needs `broker_admin` in denrei.yaml. Users with other names are left alone.
    """
    from orchestrator.broker.admin import Admin
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store, Admin(home, store) as admin:
        changes = admin.plan()
        kept = check or admin.apply(changes)
        for change in changes:
            click.echo(f"{change.verb} {change.name}")
        _tell_missing(home, store)
    if not changes:
        click.echo("nothing to change", err=True)
    if not kept:
        message = "not kept over a restart of Redis: it has no aclfile, or can't write it"
        click.echo(message, err=True)
    return ExitCode.PENDING if check and changes else ExitCode.OK


@command.command("check")
@output_option
def check(format_: Format) -> ExitCode:
    """Say whether the broker is set up well; exit 1 if something is to be done."""
    from orchestrator.broker.admin import Admin
    from orchestrator.broker.finding import Finding
    from orchestrator.broker.kind import kind_of
    from orchestrator.cli.broker_view import show_findings
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store, Admin(home, store) as admin:
        findings = list(kind_of(home.broker).inspect(home))
        changes = admin.plan()
    wrong = ", ".join(change.name for change in changes)
    findings.append(
        Finding("users", f"not as they should be: {wrong}", "denrei broker apply")
        if changes
        else Finding("users", "as they should be")
    )
    show_findings(findings, format_)
    return ExitCode.ERROR if any(finding.remedy for finding in findings) else ExitCode.OK


@command.command("password")
@click.argument("name", shell_complete=complete_host)
def password(name: str) -> None:
    """Make a new password for a host's user, and print the URL for its courier.yaml.

    It is shown this once; Denrei keeps a hash of it. With `broker_admin` it counts at once, and
    the old one no longer; else give what `denrei broker acl` prints to the broker.
    """
    from orchestrator.broker.password import renew_password
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store:
        click.echo(renew_password(home, store, name))


def _tell_missing(home: "Home", store: "Store") -> None:
    from orchestrator.broker.admin import hosts_without_user

    for name in hosts_without_user(home, store):
        click.echo(f"{name} has no user: denrei broker password {name}", err=True)


def _version(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split("."))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no version such as 7.0") from None
