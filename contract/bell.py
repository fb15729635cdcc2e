"""A bell between two processes: a named pipe that one rings and the other waits at.

It only saves time. Whoever waits also looks by itself every few seconds, so a lost ring, or a
process that may not ring, costs a delay and nothing else. The pipe lies where the other process may
write, which is not believed: what is no pipe there is neither opened through a link nor rung.
"""

import contextlib
import os
import select
import stat
from pathlib import Path

_FOR_A_GROUP = 0o660  # its directory says who gets there


class Bell:
    """The waiting end of a bell."""

    def __init__(self, path: Path) -> None:
        """Make the pipe if it is not there, and hold both ends so that it never closes.

        Where somebody bars its place for good, it is a bell that nobody can ring.
        """
        self._ends = [_pipe_at(path)]
        if self._ends[0] < 0:
            self._ends = list(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        self._descriptor = self._ends[0]

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, at most so many seconds; tell whether somebody did."""
        rung = self.listen(seconds)
        if rung:
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, 65536)
        return rung

    def listen(self, seconds: float) -> bool:
        """Do the same, but let it ring on for who waits next."""
        readable, _, _ = select.select([self._descriptor], [], [], max(seconds, 0))
        return bool(readable)

    def close(self) -> None:
        """Let the pipe go."""
        for end in self._ends:
            os.close(end)


def ring(path: Path) -> None:
    """Ring the bell at a path, if anybody waits there."""
    with contextlib.suppress(OSError):
        descriptor = _open(path, os.O_WRONLY)
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"!")
        finally:
            os.close(descriptor)


def _pipe_at(path: Path) -> int:
    """Return a descriptor of the pipe, made anew if something else is there; -1 if it can't be."""
    for _ in range(2):
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        with contextlib.suppress(OSError):
            descriptor = _open(path, os.O_RDWR)
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                with contextlib.suppress(PermissionError):  # another's, who sees to it himself
                    os.fchmod(descriptor, _FOR_A_GROUP)
                return descriptor
            os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
    return -1


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
