"""An unprivileged user who swaps a directory for a link, again and again, as fast as he can."""

import ctypes
import mmap
import os
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tests.life import live

NOBODY = 65534
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@dataclass(frozen=True, slots=True)
class Swapping:
    """The swapping that goes on in another process."""

    pid: int
    _count: mmap.mmap

    @property
    def swaps(self) -> int:
        """Return how often he has swapped so far."""
        count: int = struct.unpack("Q", self._count[:8])[0]
        return count


@dataclass(frozen=True, slots=True)
class Trap:
    """A directory of his, and in it a link that leads to root's."""

    his: Path  # belongs to him: what is in it, he may swap
    secret: Path  # root's alone

    @property
    def way(self) -> Path:
        """Return what is now a directory of his, now his link to root's."""
        return self.his / "way"


def lay(directory: Path) -> Trap:
    """Make the trap. Only root can."""
    trap = Trap(directory / "his", directory / "secret")
    trap.secret.mkdir(mode=0o700)
    trap.way.mkdir(parents=True)
    for name in ("file", "other"):
        (trap.secret / name).write_text("secret")
        (trap.way / name).write_text("his")
    (trap.his / "link").symlink_to(trap.secret)
    for path in (trap.his, trap.way, *trap.way.iterdir(), trap.his / "link"):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    let_in(directory)
    return trap


def let_in(directory: Path) -> None:
    """Let others pass through a directory that pytest made for us alone."""
    for above in (directory, *directory.parents):
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o011)


def as_nobody(work: Callable[[], object]) -> None:
    """Do something as the unprivileged user, in a process of his own; it must come to its end."""

    def do() -> None:
        become_nobody()
        work()

    assert live(do), "it was killed"


def become_nobody() -> None:
    """Be the unprivileged user from now on."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


@contextmanager
def swapping(trap: Trap) -> Iterator[Swapping]:
    """Let him swap until the block ends."""
    count = mmap.mmap(-1, 8)
    pid = os.fork()
    if pid == 0:
        _swap(trap, count)
    try:
        yield Swapping(pid, count)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _swap(trap: Trap, count: mmap.mmap) -> NoReturn:
    try:
        become_nobody()
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
        way, link = os.fsencode(trap.way), os.fsencode(trap.his / "link")
        done = 0
        while exchange(_AT_FDCWD, way, _AT_FDCWD, link, _RENAME_EXCHANGE) == 0:
            done += 1
            count[:8] = struct.pack("Q", done)
    finally:
        os._exit(1)
