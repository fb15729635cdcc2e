"""`denrei submit`: a runbook on hosts, signed, stored, and followed to its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.completing import complete_host, complete_runbook
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Command
from orchestrator.cli.options import Duration, pair_option, runbooks_option, timeout_option
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from orchestrator.home import Home
    from orchestrator.library import Found
    from orchestrator.store.record import Run
    from orchestrator.store.store import Store
    from orchestrator.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed."""

    runbook: str
    hosts: tuple[str, ...]
    labels: Mapping[str, str]
    all_hosts: bool
    params: Mapping[str, str]
    secrets: Mapping[str, str]  # where each one is kept, never the secret itself
    check: bool
    detach: bool
    timeout: timedelta | None
    expires: timedelta
    people: int | None
    reason: str
    runbooks: Path | None
    format_: Format


@click.command("submit", cls=Command)
@click.argument("runbook", shell_complete=complete_runbook)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_host,
    help="A host by name or glob, such as 'web*'; may be repeated.",
)
@pair_option("-l", "--selector", "labels", summary="Only hosts with this label; may be repeated.")
@click.option("--all", "all_hosts", is_flag=True, help="Every host of the inventory.")
@pair_option("-p", "--param", "params", summary="A parameter of the runbook; may be repeated.")
@pair_option(
    "--secret",
    "secrets",
    summary="A secret's source: k=@FILE, k=env:NAME, k=secret:NAME or k=vault:PATH#FIELD.",
)
@click.option("--check", is_flag=True, help="Change nothing; tell what would change (exit 8).")
@click.option("--detach", is_flag=True, help="Print the run's id and do not follow it.")
@timeout_option("Stop following after this long (exit 7); the run goes on.")
@click.option(
    "--expires",
    type=Duration(),
    default="15m",
    show_default=True,
    help="A host that has not begun by then does not begin.",
)
@click.option(
    "--people",
    type=click.IntRange(1, 8),
    help="How many must sign it before it is sent. Default: 1, or 2 of high risk.",
)
@click.option("-m", "--reason", default="", metavar="TEXT", help="Why; kept with every order.")
@runbooks_option
@output_option
def command(**options: Any) -> ExitCode:
    """Run a runbook on hosts and follow it.

    RUNBOOK is a name, looked for in --runbooks, the home and the shipped ones, or a path.
    """
    return _submit(Request(**options))


def _submit(request: Request) -> ExitCode:
    from orchestrator.cli.run_follow import follow_run
    from orchestrator.cli.session import open_home, operator_key
    from orchestrator.submission import submit

    home = open_home()
    found = home.library(request.runbooks).find(request.runbook)
    with home.open_store() as store:
        submission = _submission(request, found, home, store)
        _tell(f"runbook {submission.runbook.name} from {found.file} ({found.origin})")
        run = submit(submission, operator_key(home, store), store)
        _tell_run(run, len(submission.hosts))
        if request.detach:
            return _detach(run, store, request.format_)
        return follow_run(store, run, request.timeout, request.format_)


def _submission(request: Request, found: "Found", home: "Home", store: "Store") -> "Submission":
    from orchestrator.secret.source import providers, read_secrets
    from orchestrator.selector import Selector
    from orchestrator.submission import Submission, parse_params

    runbook = found.load()
    params = parse_params(runbook, request.params)
    targets = Selector(request.hosts, request.labels, request.all_hosts)
    return Submission(
        runbook=runbook,
        source=found.file,
        hosts=targets.select(store.hosts.targets()),
        operator=home.operator,
        params=params,
        secrets=read_secrets(request.secrets, providers(home, store)),
        check=request.check,
        reason=request.reason,
        expires_in=request.expires,
        people=request.people,
    )


def _detach(run: "Run", store: "Store", format_: Format) -> ExitCode:
    from orchestrator.cli.departure import await_departure
    from orchestrator.cli.output import emit
    from orchestrator.cli.run_document import host_run_document, run_document

    if said := await_departure(store, run):
        _tell(said)
    _tell(f"follow it with: denrei run watch {run.run_id}")
    if format_ is Format.TABLE:
        click.echo(run.run_id)
        return ExitCode.OK
    host_runs = store.runs.host_runs(run.run_id)
    emit(format_, run_document(run, host_runs), [host_run_document(h) for h in host_runs])
    return ExitCode.OK


def _tell_run(run: "Run", count: int) -> None:
    from orchestrator.cli.moment import clock

    mode = " in check mode" if run.check else ""
    hosts = "1 host" if count == 1 else f"{count} hosts"
    _tell(f"run {run.run_id} on {hosts}{mode}, expires at {clock(run.expires_at)}")
    if run.people > 1:
        others = "another person" if run.people == 2 else f"{run.people - 1} others"  # noqa: PLR2004
        _tell(f"waits until {others} approved it: denrei run approve {run.run_id}")


def _tell(line: str) -> None:
    from orchestrator.cli.visible import visible

    click.echo(visible(line), err=True)
