"""`denrei audit`: the signed record, shown and verified."""

import click

from orchestrator.cli.completing import complete_host, complete_run
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.lazy import Group
from orchestrator.cli.options import since_option
from orchestrator.cli.output import Format, output_option


@click.group("audit", cls=Group)
def command() -> None:
    """Show and verify the signed record."""


@command.command("log")
@click.option("--run", shell_complete=complete_run, help="Only this run's letters.")
@click.option("--host", shell_complete=complete_host, help="Only letters to or from this host.")
@since_option()
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True)
@output_option
def log(run: str | None, host: str | None, since: int | None, limit: int, format_: Format) -> None:
    """Show every order, receipt, report and refusal, as signed; the newest last."""
    from orchestrator.cli import audit_log
    from orchestrator.cli.run_lookup import find_run
    from orchestrator.cli.session import open_store

    with open_store() as store:
        run_id = find_run(store, run).run_id if run else None
        letters, left_out = audit_log.newest(store, limit, run_id=run_id, host=host, since=since)
    audit_log.show(letters, format_)
    if left_out:
        click.echo(f"{left_out} older ones are left out; see --limit and --since", err=True)


@command.command("verify")
@output_option
def verify(format_: Format) -> ExitCode:
    """Verify every stored letter again; exits 6 if one does not hold."""
    from orchestrator.audit import verify_all
    from orchestrator.cli import audit_result
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store:
        audit = verify_all(store)
    audit_result.show(audit, format_)
    return ExitCode.REFUSED if audit.findings else ExitCode.OK
