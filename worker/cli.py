"""denrei-worker: what is done on a host. Each command parses, calls, and prints."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from contract.error import DenreiError
from contract.version import VERSION
from worker.config import DEFAULT_PATH, config_path, load_config
from worker.exit_code import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_LOOK, EXIT_USAGE
from worker.late import Late
from worker.output_option import output_option
from worker.role import Role, run_role, start_log, tell

_EPILOG = """\
\b
Exit codes: 0 done · 1 an error, told in one line · 2 wrong usage
3 the worker needs a look (status) · 6 the policy refuses it (policy explain), or the
orchestrator (enrol) · 7 the wait was over (enrol) · 8 the certificate needs work (cert)
75 the courier's connection stalled (start it again) · 78 the configuration is wrong
80 the executor sleeps (start it for the next letter)
"""


# What has options of its own, imported when it is asked for.
_LATE: Mapping[str, click.Command] = Late(
    {
        "cert": "worker.cert_commands:cert",
        "enrol": "worker.enrol_cli:enrol",
        "policy": "worker.policy_cli:policy",
        "units": "worker.units_cli:units",
    }
)


class Group(click.Group):
    """Turns every error that a person can act on into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the alphabet's order."""
        return sorted([*super().list_commands(ctx), *_LATE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; some are imported when they are first asked for."""
        return super().get_command(ctx, cmd_name) or _LATE.get(cmd_name)

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the program; wrong usage is told in one line, too."""
        try:
            code = super().main(*arguments, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = EXIT_USAGE
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "denrei-worker"
            told = " ".join(error.format_message().split()).rstrip(".")
            message = f"{told}; see: {where} --help"
            click.echo(f"denrei-worker: {message}", err=True)
            code = EXIT_USAGE
        except click.Abort:
            code = EXIT_INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; no traceback for what was foreseen."""
        try:
            return super().invoke(ctx)
        except DenreiError as error:
            tell(error)
            ctx.exit(EXIT_ERROR)


@click.group(cls=Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="denrei-worker")
@click.option(
    "--config",
    metavar="FILE",
    help=f"worker.yaml; also DENREI_WORKER_CONFIG. Default: {DEFAULT_PATH}",
)
@click.pass_context
def main(ctx: click.Context, config: str | None) -> None:
    """Take orders from a queue and make declared states hold on this host."""
    ctx.obj = config_path(config)


@main.command()
@click.pass_obj
def run(path: Path) -> None:
    """Run courier and executor together (containers, development)."""
    config = load_config(path)
    start_log("run", config)
    from worker.pair import run_pair

    sys.exit(run_pair(config))


@main.command()
@click.pass_obj
def courier(path: Path) -> None:
    """Run the courier: the network, no privilege."""
    run_role(Role.COURIER, path)


@main.command()
@click.pass_obj
def executor(path: Path) -> None:
    """Run the executor: the privilege, no broker."""
    run_role(Role.EXECUTOR, path)


@main.command()
@output_option("table", "json")
@click.pass_obj
def status(path: Path, format_: str) -> None:
    """Tell how this host fares, from its own files: no network, nothing is disturbed.

    Exits 0 if all is well, and 3 if something needs a look, which is then said.
    """
    from worker.status import judge
    from worker.status_view import show_status
    from worker.survey import survey

    judged = judge(survey(load_config(path)))
    show_status(judged, format_)
    sys.exit(EXIT_LOOK if judged.concerns else 0)


@main.command()
@click.option("--run", "run_id", metavar="ID", help="One run with its steps; its id or beginning.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True)
@output_option("table", "json", "jsonl")
@click.pass_obj
def history(path: Path, run_id: str | None, limit: int, format_: str) -> None:
    """Tell what this host did, the newest first, from its own ledger: no network."""
    from worker.history import find, recent
    from worker.history_view import show_deed, show_history

    config = load_config(path)
    if run_id:
        show_deed(find(config, run_id), format_)
    else:
        show_history(recent(config, limit), format_)
