"""Where errors become one line and an exit code: the only place that knows which is which."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from contract.error import DenreiError
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.visible import visible

_LOG = "errors.log"


def run_guarded(program: click.Command, arguments: list[str], **extra: Any) -> ExitCode:
    """Run the program; whatever happens, return an exit code and show no traceback."""
    try:
        result = program.main(arguments, prog_name="denrei", standalone_mode=False, **extra)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence
        return _answer(error, arguments)
    return ExitCode(result) if isinstance(result, int) else ExitCode.OK


def _answer(error: BaseException, arguments: list[str]) -> ExitCode:
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        _say("interrupted")
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        return _show_usage(error)
    if isinstance(error, BrokenPipeError):
        return _close_quietly()
    if isinstance(error, DenreiError):
        for line in error_lines(error):
            _say(line)
        return code_of(error)
    return _unexpected(error, arguments)


def code_of(error: DenreiError) -> ExitCode:
    """Return the exit code of an error's family."""
    return next((code for family, code in _families() if isinstance(error, family)), ExitCode.ERROR)


def error_lines(error: DenreiError) -> list[str]:
    """Return what to say: the problems of a document each on a line, else one sentence."""
    from contract.document import DocumentError

    if isinstance(error, DocumentError):
        return [visible(line) for line in error.lines()]
    return [visible(str(error) or type(error).__doc__ or type(error).__name__)]


def _families() -> list[tuple[type[DenreiError], ExitCode]]:
    # Imported here and not above: none of this is needed while all is well.
    from contract.document import DocumentError
    from contract.duration import DurationError
    from contract.envelope import EnvelopeError
    from contract.names import HostNameError
    from contract.parameter import ParameterError
    from contract.sealing import SealError
    from contract.succession import SuccessionError
    from orchestrator.amendment import AmendmentError
    from orchestrator.approval import ApprovalError, ApproverError
    from orchestrator.cancellation import CancellationError
    from orchestrator.cli.run_lookup import RunLookupError
    from orchestrator.cli.runbook import LintError
    from orchestrator.enrolment import InvitationError
    from orchestrator.inventory import InventoryError
    from orchestrator.library import RunbookNotFoundError
    from orchestrator.person import PersonError
    from orchestrator.schedule import ScheduleError
    from orchestrator.secret.provider import SecretError
    from orchestrator.selector import NoTargetError
    from orchestrator.submission import SubmissionError
    from orchestrator.succession import DraftError

    # Whatever is not here (home, keys, store, broker) is Denrei's own: exit code 1.
    asked_wrongly = (
        *(DocumentError, DurationError, HostNameError, ParameterError, SealError),
        InvitationError,
        *(RunLookupError, LintError, InventoryError, RunbookNotFoundError, SecretError),
        *(ScheduleError, SubmissionError, CancellationError, ApprovalError),
        *(AmendmentError, DraftError, SuccessionError),
    )
    usage = [(family, ExitCode.USAGE) for family in asked_wrongly]
    refusals = (ApproverError, EnvelopeError, PersonError)
    refused = [(family, ExitCode.REFUSED) for family in refusals]
    return [*refused, *usage, (NoTargetError, ExitCode.NO_TARGET)]


def _say(line: str) -> None:
    click.echo(f"denrei: {line}", err=True)


def _show_usage(error: click.ClickException) -> ExitCode:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    context = error.ctx if isinstance(error, click.UsageError) else None
    _say(visible(error.format_message()))
    if context is not None:
        click.echo(f"Try: {context.command_path} --help", err=True)
    return ExitCode(error.exit_code)


def _close_quietly() -> ExitCode:
    # The reader has gone. Python would complain once more while it flushes at exit.
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return ExitCode.ERROR


def _unexpected(error: BaseException, arguments: list[str]) -> ExitCode:
    import traceback

    details = "".join(traceback.format_exception(error))
    if "--debug" in arguments:
        click.echo(details, err=True)
        where = "details above"
    else:
        where = f"details in {_keep(details)}"
    _say(f"unexpected {type(error).__name__}: {visible(error)[:300]} ({where})")
    return ExitCode.ERROR


def _keep(details: str) -> Path:
    import tempfile

    from orchestrator.cli.session import home_path

    try:
        path = home_path() / _LOG
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError:
        descriptor, name = tempfile.mkstemp(prefix="denrei-", suffix=".log")
        path = Path(name)
    with os.fdopen(descriptor, "a") as file:
        file.write(details + "\n")
    return path
