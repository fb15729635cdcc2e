"""The worker's real processes: started, watched through their log, and ended with the test."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost


@dataclass(frozen=True)
class Process:
    """One started console script and its log."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    def await_log(self, text: str, within: float = 15.0) -> None:
        eventually(lambda: text in self.log.read_text(), within=within, what=f"{text} in the log")

    def end(self, number: signal.Signals = signal.SIGTERM, within: float = 20.0) -> int:
        """Send a signal and return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(within)


@contextmanager
def running(host: WorkerHost, *command: str) -> Iterator[Process]:
    """Run `denrei-worker COMMAND` for a while."""
    log = host.config.state / f"{command[0]}.log"
    argv = [str(SCRIPT), "--config", str(host.config.path), *command]
    with log.open("ab") as sink, subprocess.Popen(argv, stderr=sink) as popen:
        try:
            yield Process(popen, log)
        finally:
            if popen.poll() is None:
                popen.terminate()
                try:
                    popen.wait(20)
                except subprocess.TimeoutExpired:
                    popen.kill()
