"""How a command is started: worked out by the executor, done by the keeper.

A process that was just forked pays for every page that it touches, so the executor looks up all
that can be looked up; the keeper only makes the pipes and spawns, without a copy of its memory.
"""

import errno
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import msgspec

from worker.safe_path import check_program
from worker.spawn import Spawn
from worker.spot import UntrustedPathError

LAST_WORDS_S = 0.25  # for what is about to exit anyway, and for output that is on its way

_OURS = 0  # our own standard input

# Every signal that a program may be born with ignored, and that is not ours to hand on: whoever
# started the executor may have had some ignored, and Python ignores two.
_RESET = tuple(map(int, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))


@dataclass(frozen=True, slots=True)
class Process:
    """A command's first process, and our ends of its pipes."""

    pid: int
    stdin: int | None  # None: it reads nothing
    stdout: int
    stderr: int


class Launch(msgspec.Struct, frozen=True):
    """All that keeping a command takes, as it travels from the executor to the keeper."""

    argv: tuple[bytes, ...]  # the first is the program, where it really is
    environment: dict[bytes, bytes]
    directory: bytes
    stdin: bytes | None
    timeout_s: float
    grace_s: float  # between TERM and KILL
    leaves_daemon: bool  # what survives a normal exit is left alone
    forms: tuple[bytes, ...]  # of the secrets that are taken out of the output
    last_words_s: float
    has_lock: bool

    @property
    def program(self) -> str:
        return os.fsdecode(self.argv[0])

    def start(self) -> Process:
        """Start it where we are, by control group, in a session of its own.

        Our own directory and umask become the command's, and our standard input is its, if it has
        none. Raises OSError with the file that was to blame, and ValueError.
        """
        os.umask(0o077)
        os.chdir(self.directory)
        (out, stdout), (err, stderr) = os.pipe(), os.pipe()
        stdin, feed = (_OURS, None) if self.stdin is None else os.pipe()
        try:
            pid = self._start(stdin, stdout, stderr)
        except (OSError, ValueError):
            _close(out, err, feed)
            raise
        finally:
            _close(stdin, stdout, stderr)
        return Process(pid, feed, out, err)

    def _start(self, *theirs: int) -> int:
        dup = os.POSIX_SPAWN_DUP2
        return os.posix_spawn(
            self.argv[0],
            self.argv,
            self.environment,
            file_actions=[(dup, end, at) for at, end in enumerate(theirs) if end != at],
            setsid=True,
            setsigmask=(),
            setsigdef=_RESET,
        )


def prepare(spawn: Spawn) -> Launch:
    """Work out how to start a command in whose program nobody but root and us has a say.

    Raises OSError with the file that was to blame, and ValueError.
    """
    if not spawn.argv[0].startswith("/"):
        raise ValueError(f"{spawn.argv[0]}: a program needs its absolute path")
    program = spawn.program
    check_program(Path(program))
    return Launch(
        argv=tuple(map(os.fsencode, (program, *spawn.argv[1:]))),
        environment={os.fsencode(n): os.fsencode(v) for n, v in spawn.environment.items()},
        directory=os.fsencode(spawn.root.locate(spawn.cwd)),
        stdin=None if spawn.stdin is None else spawn.stdin.encode(),
        timeout_s=spawn.timeout.total_seconds(),
        grace_s=spawn.grace.total_seconds(),
        leaves_daemon=spawn.leaves_daemon,
        forms=spawn.redactor.forms,
        last_words_s=LAST_WORDS_S,
        has_lock=spawn.lock_path is not None,
    )


def why_not(error: OSError | ValueError, program: str) -> str:
    """Return why a command did not start, for people."""
    if not isinstance(error, OSError):
        return str(error)
    name = os.fsdecode(error.filename or program)
    if isinstance(error, UntrustedPathError):
        return f"{program} is not run: {error.strerror}"
    if error.errno == errno.ENOENT and name == program:
        there = os.path.lexists(name)
        return f"{name}: its interpreter is missing" if there else f"no such program: {name}"
    if error.errno == errno.ENOEXEC:
        return f"{name}: no program, or a script without a #! line"
    return f"{name}: {(error.strerror or str(error)).lower()}"


def _close(*ends: int | None) -> None:
    for end in ends:
        if end:  # neither none nor our own
            os.close(end)
