"""The action `signal`: send a signal to a process, and never to another that got its number."""

import os
import signal
from contextlib import suppress

from contract.action import Signal
from contract.error import DenreiError
from worker import proc
from worker.actions.action import ActionResult, Context, why
from worker.observations.process import find
from worker.proc import ProcessStat


def send_signal(arguments: Signal, context: Context) -> ActionResult:
    """Find what the observation `process` would find, and send it the signal."""
    try:
        found = find(arguments, context.root, proc.boot_moment())
    except DenreiError as error:
        return ActionResult(ok=False, summary=f"can't find the process: {error}")
    if refusal := _refusal(arguments, found):
        return ActionResult(ok=False, summary=refusal)
    number = signal.Signals[f"SIG{arguments.signal}"]
    try:
        sent = [stat.pid for stat in found if _send(stat, number)]
    except OSError as error:
        return ActionResult(ok=False, summary=f"can't send {arguments.signal}: {why(error)}")
    to = ", ".join(map(str, sent)) or "nobody: it ended just now"
    return ActionResult(ok=bool(sent), summary=f"sent {arguments.signal} to {to}")


def _refusal(arguments: Signal, found: list[ProcessStat]) -> str:
    if not found:
        return "no process fits"
    if len(found) > 1 and not arguments.all:
        return f"{len(found)} processes fit, and without `all: true` only one may"
    if any(stat.pid == os.getpid() for stat in found):
        return "the process is the executor itself"
    return ""


def _send(stat: ProcessStat, number: signal.Signals) -> bool:
    """Send to exactly this process; tell whether it was still there.

    Once it is open, the number can't go to another: so who it is, is looked at after that.
    """
    with suppress(ProcessLookupError):
        process = os.pidfd_open(stat.pid)
        try:
            now = proc.read_stat(stat.pid)
            if now is None or now.start_ticks != stat.start_ticks:
                return False
            signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)
        return True
    return False
