"""Cancelling a run: ask, sign a tombstone for each open host run, tell, and follow it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import click

from orchestrator.cancellation import Cancellation, CancellationError, cancel
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.output import Format
from orchestrator.cli.run_document import standing
from orchestrator.cli.run_follow import follow_run, show_run
from orchestrator.cli.run_lookup import find_run
from orchestrator.cli.run_show import of_host
from orchestrator.cli.session import open_home, operator_key
from orchestrator.cli.visible import visible
from orchestrator.home import Home
from orchestrator.store.record import HostRun, Run
from orchestrator.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed beside the run."""

    hosts: tuple[str, ...]
    kill: bool
    reason: str
    yes: bool
    detach: bool
    timeout: timedelta | None
    format_: Format


def cancel_run(prefix: str, request: Request) -> ExitCode:
    """Cancel a run, or its share on some hosts. Raises CancellationError if all has ended."""
    home = open_home()
    with home.open_store() as store:
        run = find_run(store, prefix)
        before = _chosen(store.runs.host_runs(run.run_id, reports=False), request.hosts)
        _check_open(run, before)
        _ask(run, before, request)
        _sign(
            home,
            store,
            Cancellation(
                run=run,
                host_runs=before,
                operator=home.operator,
                kill=request.kill,
                reason=request.reason,
            ),
        )
        return _conclude(store, run, request)


def _chosen(shares: Sequence[HostRun], hosts: Sequence[str]) -> Sequence[HostRun]:
    if not hosts:
        return shares
    return [share for host in dict.fromkeys(hosts) for share in of_host(shares, host)]


def _check_open(run: Run, shares: Sequence[HostRun]) -> None:
    if all(share.ended for share in shares):
        ends = ", ".join(f"{share.host}: {standing(share)}" for share in shares[:3])
        more = ", …" if len(shares) > 3 else ""  # noqa: PLR2004 - as many as fit a line
        message = f"run {run.run_id} has ended already ({ends}{more}); nothing was cancelled"
        raise CancellationError(message)


def _ask(run: Run, shares: Sequence[HostRun], request: Request) -> None:
    """Ask a person at a terminal. Raises click.Abort for anything but a yes."""
    if request.yes or not sys.stdin.isatty():
        return
    count = sum(not share.ended for share in shares)
    where = "1 host" if count == 1 else f"{count} hosts"
    how = " and end the commands that run there now" if request.kill else ""
    question = f"Cancel run {run.run_id} ({run.runbook}) on {where}{how}?"
    click.confirm(visible(question), abort=True, err=True)


def _sign(home: Home, store: Store, cancellation: Cancellation) -> None:
    key = operator_key(home, store)
    touched = {share.host: share for share in cancel(cancellation, key, store)}
    for share in cancellation.host_runs:
        click.echo(visible(f"{share.host}: {_told(share, touched.get(share.host))}"), err=True)


def _told(before: HostRun, after: HostRun | None) -> str:
    """Return what is known of one host right now."""
    if before.ended:
        return f"has ended already ({standing(before)})"
    if after is None:
        return "is being cancelled already; waits for the host"
    if after.cancelling:
        return "tombstone signed; waits for the host"
    unsent = after.cancel_sha256 is not None
    return "cancelled before it was sent" if unsent else f"has ended just now ({standing(after)})"


def _conclude(store: Store, run: Run, request: Request) -> ExitCode:
    if not request.detach:
        return follow_run(store, run, request.timeout, request.format_, request.hosts)
    if request.format_ is not Format.TABLE:
        show_run(run, store.runs.host_runs(run.run_id), request.format_)
    click.echo(f"follow it with: denrei run watch {run.run_id}", err=True)
    return ExitCode.OK
