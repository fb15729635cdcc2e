"""A bell between two processes: a named pipe that one rings and the other waits at.

It only saves time. Whoever waits also looks by itself every few seconds, so a lost ring, or a
process that may not ring, costs a delay and nothing else.
"""

import contextlib
import os
import select
from pathlib import Path


class Bell:
    """The waiting end of a bell."""

    def __init__(self, path: Path) -> None:
        """Make the pipe if it is not there, and hold both ends so that it never closes."""
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o660)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, at most so many seconds; tell whether somebody did."""
        readable, _, _ = select.select([self._descriptor], [], [], max(seconds, 0))
        if readable:
            self.quieten()
        return bool(readable)

    def quieten(self) -> None:
        """Forget the rings so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 65536)

    def close(self) -> None:
        """Let the pipe go."""
        os.close(self._descriptor)


def ring(path: Path) -> None:
    """Ring the bell at a path, if anybody waits there."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"!")
        finally:
            os.close(descriptor)
