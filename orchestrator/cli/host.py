"""`denrei host`: the inventory, and pings."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.completing import complete_host
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.options import pair_option, timeout_option
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from orchestrator.store.record import Host
    from orchestrator.store.store import Store


_PRESENCES = ("consuming", "skewed", "silent", "offline", "unknown")


@click.group("host", cls=Group)
def command() -> None:
    """Add, list, show, remove and ping hosts."""


@command.command("add")
@click.argument("name")
@click.argument("public_file", type=click.Path(path_type=Path))
@pair_option("-l", "--label", "labels", summary="A label, such as env=prod; may be repeated.")
def add(name: str, public_file: Path, labels: Mapping[str, str]) -> None:
    """Add a host by the public file that `denrei-worker init` made on it.

    Prints the welcome that `denrei-worker trust` takes there. The same file again only replaces
    the labels.
    """
    from contract.trust import Welcome, load_host_keys, show_public
    from orchestrator.cli.session import open_home
    from orchestrator.inventory import Inventory, InventoryError

    keys = load_host_keys(public_file)
    if keys.denrei_host != name:
        message = f"{public_file} is the public file of {keys.denrei_host!r}, not of {name!r}"
        raise InventoryError(message)
    home = open_home()
    with home.open_store() as store:
        host = Inventory(store).admit(keys, labels, home.registrar_key())
        click.echo(
            show_public(Welcome.of(store.keyrings.newest_letter(), host.admission)), nl=False
        )
    click.echo(f"added {host.name}, epoch {host.epoch}", err=True)


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
        hosts = store.hosts.all()
        seen = verdicts(store, hosts, home.presence_ms, now_ms())
    chosen = [h for h in hosts if presence in (None, seen[h.name].presence.value)]
    show_hosts(chosen, seen, format_)


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


@command.command("remove")
@click.argument("name", shell_complete=complete_host)
def remove(name: str) -> None:
    """Take a host out: nothing is sent to it or believed from it any more."""
    from orchestrator.cli.session import open_store
    from orchestrator.inventory import Inventory

    with open_store() as store:
        Inventory(store).remove(_find(store, name).name)
    click.echo(f"removed {name}", err=True)


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
