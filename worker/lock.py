"""The lock files: one for each resource that runs work on, and one for each run's present step.

A resource's lock is taken before a run's first step. The keeper of each command shares it, so that
it is free only when nothing of the run lives, whatever becomes of the executor. People on the host
can take it too: `flock /var/lib/denrei/locks/service:nginx COMMAND`.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

UNNAMED = ""  # what runs without a lock of their own hold: they run one at a time

_LONGEST = 200  # of a file's name, of the 255 that there may be
_KEPT = 136  # of a longer name, before its digest
_STEP = ".step-"
_RESERVED = ("executor", "unnamed")


class LockBusyError(Exception):
    """Somebody else holds a lock, or it can't be taken; the message says which and why."""


def file_name(resource: str) -> str:
    """Return the name of a resource's lock file; no two resources share one."""
    if resource == UNNAMED:
        return "unnamed"
    name = quote(resource, safe=":@+=,", errors="backslashreplace")
    if name in _RESERVED or name.startswith("."):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > _LONGEST:
        digest = sha256(resource.encode(errors="backslashreplace")).hexdigest()
        name = f"{name[:_KEPT]}~{digest}"
    return name


def step_lock(directory: Path, run_id: str) -> Path:
    """Return the file that the keeper of a run's present step holds."""
    return directory / f"{_STEP}{run_id}"


def take(directory: Path, resources: Iterable[str]) -> tuple[int, ...]:
    """Take the locks of all these resources, or of none, and return their descriptors.

    They are taken in sorted order, without waiting for any of them. Raises LockBusyError.
    """
    held: list[int] = []
    try:
        for resource in sorted(set(resources)):
            held.append(_take(directory / file_name(resource), resource))  # noqa: PERF401 - kept if one is busy
    except LockBusyError:
        release(held)
        raise
    return tuple(held)


def release(held: Iterable[int]) -> None:
    """Let go of locks; each is free once no keeper shares it any more."""
    for lock in held:
        os.close(lock)


def forget_step(directory: Path, run_id: str) -> None:
    """Remove the step lock of a run that has ended, unless something still holds it."""
    path = step_lock(directory, run_id)
    with suppress(OSError):  # none, or held by what even KILL did not end: a later look finds it
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(lock)


def forget_steps(directory: Path, open_runs: Iterable[str]) -> None:
    """Remove all step locks but those of runs that have not ended."""
    there = {path.name.removeprefix(_STEP) for path in directory.glob(f"{_STEP}*")}
    for run_id in there.difference(open_runs):
        forget_step(directory, run_id)


def _take(path: Path, resource: str) -> int:
    what = f"the lock {resource!r}" if resource else "the lock of runs that name none"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LockBusyError(f"{what} can't be taken: {path}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        why = "busy" if isinstance(error, BlockingIOError) else error.strerror
        raise LockBusyError(f"{what} is {why}") from None
    return lock
