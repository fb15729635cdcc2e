"""Executors that live in processes of their own, and are killed at a chosen moment."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import worker.actions.command
import worker.line
import worker.recovery
from tests.worker_host import WorkerHost, new_run_id, work
from worker.ledger import Ledger
from worker.mailbox import Mailbox
from worker.recovery import recover

KILL_EXECUTOR = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)"
# Stopped first: an executor takes a killed keeper's place, and a keeper that of a killed executor.
KILL_BOTH = "E=$(cut -d' ' -f4 /proc/$PPID/stat); kill -STOP $E; kill -9 $PPID $E"
SECRET = "hunter2-hunter3"

# Whatever an executor does that lasts: a crash before it and a crash after it are two boundaries.
LASTING: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        Ledger,
        (
            *("accept", "begin", "interrupted", "keep_items", "begin_step"),
            *("end_step", "end", "acknowledge", "prune", "cancel"),
        ),
    ),
    (Mailbox, ("put", "take_away")),
    (Path, ("unlink", "rename")),
    (worker.actions.command, ("run", "scrub", "_write")),
    (worker.recovery, ("scrub", "await_keeper", "release", "sweep")),
    (worker.line, ("take",)),
)


def live(host: WorkerHost, killed_at: int = 0) -> bool:
    """Let an executor recover and do all there is to do; tell whether it lived to the end.

    It is killed at the boundary with the given number, counted from 1; 0 lets it live.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _be_executor(host, killed_at)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


def _be_executor(host: WorkerHost, killed_at: int) -> None:
    code = 1
    try:
        _set_boundaries(killed_at)
        with host.executor() as executor:
            recover(executor._gate, executor._tools)
            work(executor)
        code = 0
    except BaseException:  # noqa: BLE001 - the parent's pytest must not see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _set_boundaries(killed_at: int) -> None:
    own, passed = os.getpid(), 0

    def boundary() -> None:
        nonlocal passed
        passed += 1
        if passed == killed_at and os.getpid() == own:  # a keeper is a fork of ours
            os.kill(own, signal.SIGKILL)

    def between(lasting: Callable[..., Any]) -> Callable[..., Any]:
        def bounded(*arguments: Any, **named: Any) -> Any:
            boundary()
            result = lasting(*arguments, **named)
            boundary()
            return result

        return bounded

    for owner, names in LASTING:
        for name in names:
            setattr(owner, name, between(getattr(owner, name)))


def witnesses(host: WorkerHost, name: str) -> int:
    """Tell how often a step has had its effect."""
    path = host.root / "witness"
    return path.read_text().split().count(name) if path.exists() else 0


def deliver(host: WorkerHost, runbook: str) -> bytes:
    """Put an order into the inbox, with a secret if the runbook wants one."""
    run_id = new_run_id()
    sealed = host.sealed(runbook, run_id, key=SECRET) if "secret: true" in runbook else {}
    letter = host.order(runbook, run_id=run_id, sealed_params=sealed)
    host.inbox.put(letter)
    return letter
