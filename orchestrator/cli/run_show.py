"""One run in full: what was asked for, and every host, pass and step."""

from collections.abc import Sequence

from rich.text import Text

from orchestrator.cli.output import Format, emit
from orchestrator.cli.run_document import host_run_document, run_document
from orchestrator.cli.run_lookup import RunLookupError
from orchestrator.cli.run_view import StepView, heading, tally
from orchestrator.cli.table import print_lines, stdout, width_of
from orchestrator.store.record import HostRun, Run


def of_host(host_runs: Sequence[HostRun], host: str | None) -> Sequence[HostRun]:
    """Return one host's share, or all if no host is named. Raises RunLookupError."""
    chosen = [share for share in host_runs if host in (None, share.host)]
    if not chosen and host is not None:
        raise RunLookupError(f"the run did not go to {host!r}")
    return chosen


def show(run: Run, host_runs: Sequence[HostRun], format_: Format, *, with_output: bool) -> None:
    """Write a run to stdout."""
    if format_ is not Format.TABLE:
        emit(format_, run_document(run, host_runs), [host_run_document(h) for h in host_runs])
        return
    console = stdout()
    view = StepView(width_of(console), with_output)
    steps = [line for host_run in host_runs for line in view.lines(host_run)]
    result = Text(f"{'result:':<10}{tally(host_runs)}")
    print_lines([*heading(run), result, Text(""), *steps], console)
