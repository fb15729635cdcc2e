"""Following a stored run to its end, and telling the result."""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import timedelta

import click

from contract.instant import now_ms
from orchestrator.cli.advice import advice, can_end
from orchestrator.cli.exit_code import ExitCode, code_of_run
from orchestrator.cli.follow import Ending, Sight, follow
from orchestrator.cli.output import Format, emit
from orchestrator.cli.progress import make_progress, show_result
from orchestrator.cli.run_document import host_run_document, run_document
from orchestrator.cli.run_view import run_table
from orchestrator.store.record import HostRun, Run
from orchestrator.store.store import Store

_AFTER_EXPIRY_MS = 5_000  # a server would have told by then that an order expired


def follow_run(
    store: Store,
    run: Run,
    timeout: timedelta | None,
    format_: Format,
    hosts: Collection[str] = (),
) -> ExitCode:
    """Follow a run on stderr, write its result to stdout, and return the exit code.

    With `hosts`, only those of its host runs are looked at.
    """
    limit = timeout.total_seconds() if timeout is not None else None
    with closing(store.watch()) as watch:
        look = _Look(store, run, hosts)
        ending, _ = follow(look, make_progress(), limit, watch.wait)
    if ending is Ending.DETACHED:
        _tell("\ndetached; the run goes on", run)
        return ExitCode.INTERRUPTED
    host_runs = _of(hosts, store.runs.host_runs(run.run_id))
    show_run(run, host_runs, format_)
    return _conclude(ending, run, host_runs)


def show_run(run: Run, host_runs: Sequence[HostRun], format_: Format) -> None:
    """Write where a run stands to stdout."""
    if format_ is Format.TABLE:
        show_result(host_runs, run_table(host_runs))
    else:
        emit(format_, run_document(run, host_runs), [host_run_document(h) for h in host_runs])


def _conclude(ending: Ending, run: Run, host_runs: Sequence[HostRun]) -> ExitCode:
    if ending is Ending.ENDED:
        return code_of_run({h.state for h in host_runs}, {h.outcome for h in host_runs})
    why = "time is up" if ending is Ending.TIMED_OUT else "no server runs that could end it"
    _tell(f"{why}; the run is still open", run)
    return ExitCode.TIMED_OUT


def _tell(what: str, run: Run) -> None:
    click.echo(f"{what}\ncome back with: denrei run watch {run.run_id}", err=True)


def _of(hosts: Collection[str], host_runs: Sequence[HostRun]) -> Sequence[HostRun]:
    return [share for share in host_runs if not hosts or share.host in hosts]


class _Look:
    """Looks at a run's host runs and at the server's health."""

    def __init__(self, store: Store, run: Run, hosts: Collection[str]) -> None:
        self._store = store
        self._run = run
        self._hosts = hosts

    def __call__(self) -> Sight:
        """Return where the run stands now."""
        host_runs = _of(self._hosts, self._store.runs.host_runs(self._run.run_id, reports=False))
        if all(host_run.ended for host_run in host_runs):
            return Sight(host_runs)
        said = advice(self._store, self._run.expires_at)
        return Sight(host_runs, said, is_stuck=self._is_over() and not can_end(self._store))

    def _is_over(self) -> bool:
        return now_ms() > self._run.expires_at + _AFTER_EXPIRY_MS
