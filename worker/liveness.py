"""Locks that show who lives: held by one process, freed by the kernel when it ends.

They are POSIX locks, which no fork inherits: a keeper that has just begun when its executor is
killed would hold any other for a moment, and turn the next executor away for good.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from worker.proc import read_stat

_FLOCK = "@hhqqi4x"  # struct flock of fcntl(2): type, whence, start, length, pid
_STOPPED = frozenset("Tt")
_WORD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock."""

    pid: int
    stopped: bool  # by a signal: it lives and does nothing
    word: str = ""  # what it noted of itself


def take(path: Path) -> int | None:
    """Hold the lock until the process ends; return its descriptor, or None if another has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def note(lock: int, word: str) -> None:
    """Let others read a word of at most 64 ASCII characters about the process that holds a lock."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, word.encode("ascii"), 0)


def last_word(path: Path) -> str:
    """Return what the last holder of a lock noted; empty if that can't be read."""
    with _opened(path) as lock:
        return "" if lock is None else _word(lock)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Give a lock's file without touching the lock; None if there is none."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        yield lock
    finally:
        os.close(lock)


def _word(lock: int) -> str:
    return os.pread(lock, _WORD_BYTES, 0).decode("ascii", "replace")


def holder(path: Path) -> Holder | None:
    """Return who holds the lock, without touching it. Not for a process that holds it itself."""
    with _opened(path) as lock:
        if lock is None:
            return None
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(lock, fcntl.F_GETLK, asked))
        word = _word(lock)
    if kind == fcntl.F_UNLCK:
        return None
    stat = read_stat(pid)
    return Holder(pid, stat is not None and stat.state in _STOPPED, word)
