"""`denrei host`: how hosts come in and go, the inventory, and pings."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from orchestrator.cli.completing import complete_host
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.options import Duration, pair_option, timeout_option
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from orchestrator.store.record import Host
    from orchestrator.store.store import Store


_PRESENCES = ("consuming", "skewed", "silent", "offline", "unknown")


@click.group("host", cls=Group)
def command() -> None:
    """Enrol, label, list, show, ping and revoke hosts."""


@command.command("enrol")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pair_option("-l", "--label", "labels", summary="A label, such as env=prod; may be repeated.")
@click.option(
    "--expires",
    type=Duration(),
    default="10m",
    show_default=True,
    help="How long the token is good: 1m to 7d.",
)
@click.option("--hold", is_flag=True, help="Admit nobody before `denrei host accept NAME`.")
@output_option
def enrol(
    names: tuple[str, ...],
    labels: Mapping[str, str],
    expires: timedelta,
    format_: Format,
    *,
    hold: bool,
) -> None:
    """Print a token that makes a host a member: once, under this name, and soon.

    `denrei-worker enrol TOKEN` takes it there. Whoever has the token first is the host. For
    several names there is a line each, NAME and TOKEN. A host that is a member keeps its labels
    unless others are given; its former self ends when the token is used.
    """
    from orchestrator.cli.host_enrol import enrol_hosts
    from orchestrator.cli.session import open_home
    from orchestrator.enrolment import Invitation

    home = open_home()
    invitations = [Invitation(name, labels or None, expires, hold) for name in names]
    with home.open_store() as store:
        enrol_hosts(home, store, invitations, format_)


@command.command("accept")
@click.argument("name")
@click.option("--key", default="", metavar="FINGERPRINT", help="Accept it only with this key.")
@click.option("-y", "--yes", is_flag=True, help="Accept it without comparing the key.")
def accept(name: str, key: str, *, yes: bool) -> None:
    """Let a host in that is held: compare the key with what the host shows."""
    from orchestrator.cli.host_decide import accept_host
    from orchestrator.cli.session import open_store

    with open_store() as store:
        accept_host(store, name, key, yes=yes)


@command.command("reject")
@click.argument("name")
def reject(name: str) -> None:
    """Turn a host away that is held; its token is worth nothing any more."""
    from orchestrator.cli.host_decide import reject_host
    from orchestrator.cli.session import open_store

    with open_store() as store:
        reject_host(store, name)


@command.command("label")
@click.argument("name", shell_complete=complete_host)
@click.argument("changes", nargs=-1, required=True, metavar="k=v|k- ...")
def label(name: str, changes: tuple[str, ...]) -> None:
    """Set labels of a host (`env=prod`) or take them away (`env-`).

    The host is sent a signed word of it: labels decide whose orders it takes.
    """
    from orchestrator.cli.session import open_home
    from orchestrator.inventory import Inventory, changed_labels

    home = open_home()
    with home.open_store() as store:
        labels = changed_labels(_find(store, name).labels, changes)
        host = Inventory(store).label(name, labels, home.registrar_key())
    told = " ".join(f"{key}={value}" for key, value in sorted(host.labels.items()))
    click.echo(told or "no labels")


@command.command("list")
@click.option("--presence", type=click.Choice(_PRESENCES), help="Only hosts that seem to be so.")
@output_option
def list_(presence: str | None, format_: Format) -> None:
    """List the hosts: whether each seems to be there, and when it last signed something.

    Presence is an unsigned hint. `denrei host ping NAME` is the proof: the host signs its answer.
    """
    from contract.instant import now_ms
    from orchestrator.cli.host_view import show_hosts
    from orchestrator.cli.session import open_home
    from orchestrator.presence import verdicts

    home = open_home()
    with home.open_store() as store:
        hosts, enrolments = store.hosts.all(), store.enrolments.open()
        seen = verdicts(store, hosts, home.presence_ms, now_ms())
    chosen = [h for h in hosts if presence in (None, seen[h.name].presence.value)]
    show_hosts(chosen, seen, enrolments, format_)


@command.command("show")
@click.argument("name", shell_complete=complete_host)
@output_option
def show(name: str, format_: Format) -> None:
    """Show a host's presence, keys and labels, and the runs that are open on it."""
    from contract.instant import now_ms
    from orchestrator.cli.host_view import show_host
    from orchestrator.cli.session import open_home
    from orchestrator.presence import verdicts

    home = open_home()
    with home.open_store() as store:
        host, open_runs = _find(store, name), store.runs.open_on(name)
        seen = verdicts(store, [host], home.presence_ms, now_ms())
    show_host(host, seen[name], open_runs, format_)


@command.command("revoke")
@click.argument("name", shell_complete=complete_host)
def revoke(name: str) -> None:
    """End a host's membership: nothing is sent to it or believed from it any more.

    Its access to the broker ends, too. To come back it needs a new token, and is a new epoch.
    """
    from orchestrator.cli.session import open_home
    from orchestrator.enrolment import revoke as revoke_host

    home = open_home()
    with home.open_store() as store:
        host = revoke_host(home, store, _find(store, name).name)
    click.echo(f"revoked {host.name}, epoch {host.epoch}", err=True)


@command.command("ping")
@click.argument("name", shell_complete=complete_host)
@timeout_option("How long to wait for the answer.", default="10s")
@output_option
def ping(name: str, timeout: timedelta, format_: Format) -> ExitCode:
    """Ask a host's executor for a signed sign of life, through the queue.

    What `denrei host list` hints at, this proves.
    """
    from orchestrator.cli.host_ping import ping_host
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store:
        return ping_host(home, store, _find(store, name), timeout, format_)


def _find(store: "Store", name: str) -> "Host":
    from contract.parameter import did_you_mean
    from orchestrator.selector import NoTargetError

    if host := store.hosts.get(name):
        return host
    names = [known.name for known in store.hosts.all()]
    raise NoTargetError(f"no host {name!r}{did_you_mean(name, names)}")
