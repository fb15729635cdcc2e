"""The exit codes: what a script learns from `denrei`, without overlaps."""

from collections.abc import Collection
from enum import IntEnum

from contract.outcome import HostRunState, StepOutcome


class ExitCode(IntEnum):
    """How the command ended."""

    OK = 0
    ERROR = 1
    USAGE = 2
    FAILED = 3
    UNDECIDED = 4
    STOPPED = 5
    REFUSED = 6
    TIMED_OUT = 7
    PENDING = 8
    NO_TARGET = 9
    INTERRUPTED = 130


MEANING = {
    ExitCode.OK: "every host is ok, changed or skipped",
    ExitCode.ERROR: "Denrei itself could not do it",
    ExitCode.USAGE: "wrong usage, or a runbook or parameter that is wrong",
    ExitCode.FAILED: "a host failed",
    ExitCode.UNDECIDED: "none failed; some unknown, expired, cancelled or unreachable",
    ExitCode.STOPPED: "stopped by a threshold or guard",
    ExitCode.REFUSED: "refused: signature, policy or role",
    ExitCode.TIMED_OUT: "waiting timed out; the run goes on",
    ExitCode.PENDING: "--check found changes pending",
    ExitCode.NO_TARGET: "no target matched",
    ExitCode.INTERRUPTED: "interrupted; a run that was followed goes on",
}

# The first that some host run is in decides. Anything that is not terminal is waited for.
_GRAVITY = (
    (HostRunState.FAILED, ExitCode.FAILED),
    (HostRunState.REFUSED, ExitCode.REFUSED),
    (HostRunState.UNKNOWN, ExitCode.UNDECIDED),
    (HostRunState.EXPIRED, ExitCode.UNDECIDED),
    (HostRunState.CANCELLED, ExitCode.UNDECIDED),
)


def code_of_run(
    states: Collection[HostRunState], outcomes: Collection[StepOutcome | None]
) -> ExitCode:
    """Return what a finished run means to a script: its gravest host run's code."""
    for state, code in _GRAVITY:
        if state in states:
            return code
    return ExitCode.PENDING if StepOutcome.WOULD_CHANGE in outcomes else ExitCode.OK


def epilog() -> str:
    """Return the table of exit codes for the help page."""
    lines = [f"  {code.value:>3}  {meaning}" for code, meaning in MEANING.items()]
    return "\b\nExit codes:\n" + "\n".join(lines)
