"""Keeps child processes running: starts them, starts dead ones again, stops them together."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
PATIENCE_S = 20.0  # between TERM and KILL
STEADY_S = 30.0  # whoever ran so long may be started again at once

_LOOK_S = 0.1
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Charge:
    """One command of this console script that is to be kept running."""

    name: str
    arguments: Sequence[str]
    asleep_code: int | None = None  # it exits with this when it has nothing to do
    is_wanted: Callable[[], bool] = lambda: True  # whether one that is asleep has work again


@dataclass(slots=True)
class _Child:
    """One process that is to run."""

    charge: Charge
    argv: list[str]
    is_asleep: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    start_at: float = 0.0


class Supervisor:
    """Runs commands of this same console script side by side until SIGTERM or SIGINT."""

    def __init__(self, charges: Sequence[Charge], final_code: int) -> None:
        """Take what is to run; a child that exits with `final_code` ends everything."""
        script = console_script()
        self._children = [_Child(charge, [script, *charge.arguments]) for charge in charges]
        self._final_code = final_code
        self._stopping = False
        self._exit_code = 0

    def run(self) -> int:
        """Supervise until told to stop; return the exit code."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            for child in self._children:
                self._look_after(child)
            time.sleep(_LOOK_S)
        self._end()
        return self._exit_code

    def _stop(self, *_signal: object) -> None:
        self._stopping = True

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at and (not child.is_asleep or child.charge.is_wanted()):
                child.process = subprocess.Popen(child.argv, stdin=subprocess.DEVNULL)
                child.started_at, child.is_asleep = now, False
            return
        code = child.process.poll()
        if code is None:
            return
        child.process = None
        if code == self._final_code:
            self._exit_code = 1
            self._stopping = True
            return
        if code == child.charge.asleep_code:
            child.is_asleep = True
            return
        if now - child.started_at > STEADY_S:
            child.pause_s = FIRST_PAUSE_S
        _log.warning("process_ended", name=child.charge.name, code=code, again_in_s=child.pause_s)
        child.start_at = now + child.pause_s
        child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        until = time.monotonic() + PATIENCE_S
        for process in running:
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def console_script() -> str:
    """Return the absolute path of the console script that this process was started by."""
    script = sys.argv[0]
    found = script if "/" in script else shutil.which(script)
    return str(Path(found or script).absolute())
