"""What a step's lock file tells of the keeper that holds it, or held it.

busy     ← or exited, or finished: as long as each other, so that one takes another's place
denrei-… ← the control group in which the command runs; empty where there are none
"""

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from worker.cgroup import Cgroup, find

BUSY, EXITED, FINISHED = b"busy    \n", b"exited  \n", b"finished\n"
_LONGEST = 1000


class KeeperState(StrEnum):
    """How it is with a keeper, for a later executor."""

    NONE = "none"  # no keeper ever held it
    BUSY = "busy"  # it still runs
    FINISHED = "finished"  # nothing is left but what was meant to stay
    EXITED = "exited"  # it vanished after its command's normal exit: what lives may be a service
    KILLED = "killed"  # it vanished at work (or the machine did): sweep what the step started


def begin(lock: int, group: Cgroup | None) -> None:
    """Write down that a command is about to run in a group."""
    text = BUSY + (group.path.name if group else "").encode()
    os.pwrite(lock, text, 0)
    os.ftruncate(lock, len(text))


def mark(lock: int, state: bytes) -> None:
    """Write down how far it has come."""
    os.pwrite(lock, state, 0)


def said(lock: int) -> KeeperState:
    """Tell how a keeper ended that holds its lock no longer."""
    text = os.pread(lock, len(FINISHED), 0)
    if not text:
        return KeeperState.NONE
    ended = {FINISHED: KeeperState.FINISHED, EXITED: KeeperState.EXITED}
    return ended.get(text, KeeperState.KILLED)


def group_of(lock_path: Path) -> Cgroup | None:
    """Return the group in which the command of a lock runs or ran, if it is there."""
    with suppress(OSError), lock_path.open("rb") as file:
        name = file.read(_LONGEST)[len(BUSY) :].decode(errors="replace")
        return find(name) if name else None
    return None
