"""`denrei run`: list, show, watch, approve and cancel runs."""

from datetime import timedelta
from typing import Any

import click

from orchestrator.cli.completing import complete_host, complete_run
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.options import since_option, timeout_option
from orchestrator.cli.output import Format, output_option


@click.group("run", cls=Group)
def command() -> None:
    """List, show, watch, approve and cancel runs."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@since_option()
@click.option(
    "--before",
    metavar="RUN",
    shell_complete=complete_run,
    help="Only runs older than this one: the last of a list, to go on from there.",
)
@click.option("--host", shell_complete=complete_host, help="Only runs on this host.")
@click.option("--runbook", help="Only runs of this runbook.")
@output_option
def list_(before: str | None, runbook: str | None, format_: Format, **only: Any) -> None:
    """List runs, the newest first."""
    from orchestrator.cli import run_list
    from orchestrator.cli.run_lookup import find_run
    from orchestrator.cli.session import open_store
    from orchestrator.library import SHORT_NAMES

    with open_store() as store:
        names = [name for name in (runbook, SHORT_NAMES.get(runbook or "")) if name]
        last = find_run(store, before).run_id if before else None
        found = store.runs.list(before=last, runbooks=names, **only)
    run_list.show(found, format_)


@command.command("show")
@click.argument("run", shell_complete=complete_run)
@click.option("--host", shell_complete=complete_host, help="Only this host.")
@click.option("--output", "with_output", is_flag=True, help="Show what the actions printed.")
@output_option
def show(run: str, host: str | None, with_output: bool, format_: Format) -> None:  # noqa: FBT001 - click passes options by name
    """Show each host, pass and step of a run, with reasons and evidence.

    RUN is a run's id, or as much of its beginning as makes it unique.
    """
    from orchestrator.cli import run_show
    from orchestrator.cli.run_lookup import find_run
    from orchestrator.cli.session import open_store

    with open_store() as store:
        found = find_run(store, run)
        shares = store.runs.host_runs(found.run_id)
    run_show.show(found, run_show.of_host(shares, host), format_, with_output=with_output)


@command.command("watch")
@click.argument("run", shell_complete=complete_run)
@timeout_option("Stop following after this long; the run itself goes on.")
@output_option
def watch(run: str, timeout: timedelta | None, format_: Format) -> ExitCode:
    """Follow a run until it ends; exits as `denrei submit` would."""
    from orchestrator.cli.run_follow import follow_run
    from orchestrator.cli.run_lookup import find_run
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return follow_run(store, find_run(store, run), timeout, format_)


@command.command("approve")
@click.argument("run", shell_complete=complete_run)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
def approve(run: str, yes: bool, format_: Format) -> None:  # noqa: FBT001 - click passes options by name
    """Sign a run that somebody else submitted, so that it is sent to its hosts.

    Shows first what would be signed, as its operator signed it.
    """
    from orchestrator.cli.run_approve import approve_run

    approve_run(run, format_, yes=yes)


@command.command("cancel")
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_host,
    help="Only on this host; may be repeated.",
)
@click.option("--kill", is_flag=True, help="End the commands that run now; else steps may end.")
@click.option("-m", "--reason", default="", metavar="TEXT", help="Why; kept with every tombstone.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--detach", is_flag=True, help="Do not follow the run to its end.")
@timeout_option("Stop following after this long (exit 7); the cancel stands.")
@output_option
def cancel(run: str, **options: Any) -> ExitCode:
    """Take a run back where it has not ended: before it begins, or between two steps.

    Hosts that are offline are told when they come back. Exits as `denrei run watch` would.
    """
    from orchestrator.cli.run_cancel import Request, cancel_run

    return cancel_run(run, Request(**options))
