"""What a keeper is asked to run, and how that ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec

from worker.capture import Captured
from worker.redaction import NO_SECRETS, Redactor
from worker.root import Root

MARKER = "DENREI_STEP"  # in the environment of all that a step starts, for the sweep at recovery
GRACE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Spawn:
    """One command to run, and the bounds in which it must stay."""

    argv: tuple[str, ...]  # the first is an absolute path, under the root
    root: Root
    timeout: timedelta
    grace: timedelta = GRACE  # between TERM and KILL
    leaves_daemon: bool = False  # what survives a normal exit is left alone
    stdin: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    marker: str = ""
    lock_path: Path | None = None  # held until nothing of the command lives
    locks: tuple[int, ...] = ()  # descriptors of locks taken already, held as long
    redactor: Redactor = NO_SECRETS  # takes out of the output what must not be kept of it

    @property
    def program(self) -> str:
        return str(self.root.locate(self.argv[0]))

    @property
    def environment(self) -> dict[str, str]:
        """All that the command's environment holds: nothing of ours gets into it."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": self.root.home(),
            **self.env,
            **({MARKER: self.marker} if self.marker else {}),
        }


class Ending(msgspec.Struct, frozen=True):
    """How a command ended, and what it said."""

    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    cut_off: bool = False  # it was ended because somebody wanted it ended
    stdout: Captured = Captured()
    stderr: Captured = Captured()
    duration: timedelta = timedelta()
    killed: int = 0  # processes that had to be ended
    surviving: int = 0  # processes that even KILL did not end in time; the lock stays held
    bound: str = ""  # why a service it left is still in the executor's unit
    error: str = ""  # why it did not start
