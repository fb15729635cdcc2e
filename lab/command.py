"""The console scripts as a user starts them: `denrei` and `denrei-worker`."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from lab.host import LabError

PATIENCE_S = 120.0
STOP_WITHIN_S = 30.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command said and how it exited."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Script:
    """One of the console scripts, with the environment that it is always given."""

    name: str
    settings: Mapping[str, str]
    directory: Path = Path("/")  # where it is started

    def run(self, *arguments: str, within: float = PATIENCE_S, given: str = "") -> Done:
        """Run the command to its end, with what it is given on stdin."""
        done = subprocess.run(
            [find_script(self.name), *arguments],
            env=self.environment,
            cwd=self.directory,
            input=given,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str, given: str = "") -> Done:
        """Run the command; raise LabError if it fails."""
        done = self.run(*arguments, given=given)
        if done.code != 0:
            told = (done.err or done.out).strip()
            raise LabError(f"{self.name} {' '.join(arguments)}: exit code {done.code}: {told}")
        return done

    def start(self, log: Path, *arguments: str) -> "Service":
        """Start the command in the background; its words go to a log file."""
        with log.open("ab") as file:
            process = subprocess.Popen(
                [find_script(self.name), *arguments],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - the lab starts nothing from threads
            )
        return Service(process, log)

    @property
    def environment(self) -> dict[str, str]:
        """Return our own environment and the script's settings.

        Who signs elsewhere, by a variable of ours, is nobody here.
        """
        return {**os.environ, "DENREI_OPERATOR": "", **self.settings}


@dataclass(frozen=True, slots=True)
class Service:
    """A console script that runs in the background."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> None:
        """End it as a service manager would."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def find_script(name: str) -> str:
    """Return where a console script is: beside this Python, else on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else which(name)
    if found is None:
        raise LabError(f"there is no {name} beside {sys.executable} nor on PATH")
    return found


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
