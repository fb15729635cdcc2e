"""Runs one command so that nothing of it outlives the step, whatever becomes of the executor.

    executor ──fork──> keeper ─spawn──> command ──> its children, daemons, orphans
        └── life pipe ──┘ └── subreaper of all of them, holds the lock

A process of its own, for three reasons. Killing a process group misses daemons and new sessions,
a subreaper misses nothing. When the executor is killed, the pipe between them ends, and the keeper
ends the command. And the lock that it holds tells a later executor when all of it is over.
"""

import fcntl
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from worker.cgroup import Cgroup
from worker.errand import Errand
from worker.keeper_link import KeeperLink
from worker.keeper_state import KeeperState, begin, said
from worker.launch import Launch, prepare, why_not
from worker.proc import boot_clock
from worker.process_tree import release, sweep
from worker.spawn import GRACE, Ending, Spawn
from worker.standby import STANDBY

__all__ = [
    "GRACE",
    "AwaitReadable",
    "EndNow",
    "Ending",
    "KeeperState",
    "Spawn",
    "await_keeper",
    "run",
]

_LOOK_S = 0.02


AwaitReadable = Callable[[int], None]  # returns when the descriptor can be read


class EndNow(Exception):  # noqa: N818 - not an error: somebody wants the command ended
    """Raised by `await_readable` to end the command now and still be told how it ended."""


def run(spawn: Spawn, await_readable: AwaitReadable | None = None) -> Ending:
    """Run a command to its end. Never raises for what the command or the machine does.

    `await_readable` may do other work until the keeper's word comes; if it raises, the command is
    ended. After EndNow the keeper's word is waited for all the same.
    """
    try:
        launch = prepare(spawn)
    except (OSError, ValueError) as error:
        return Ending(error=why_not(error, spawn.program))
    try:
        keeper = STANDBY.at_hand()
    except OSError as error:
        return Ending(error=f"can't start a keeper: {error.strerror}")
    try:
        lock = _take(spawn.lock_path, keeper.group) if spawn.lock_path else None
    except BlockingIOError:
        return Ending(error=f"what an earlier step started still runs ({spawn.lock_path})")
    except OSError as error:
        return Ending(error=f"can't take the lock {spawn.lock_path}: {error.strerror}")
    try:
        ending = _run_with(keeper, launch, (*_one(lock), *spawn.locks), await_readable)
        return ending or _without_keeper(spawn, lock, keeper.group)
    except OSError as error:
        return Ending(error=f"can't run it with a keeper: {error.strerror}")
    finally:
        for each in _one(lock):
            os.close(each)  # the keeper shares it, and holds it on its own from here


def await_keeper(lock_path: Path, within: timedelta) -> KeeperState:
    """Wait until the keeper that holds a lock is done, and tell how it ended."""
    until = boot_clock() + within.total_seconds()
    try:
        lock = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return KeeperState.NONE
    try:
        while not _locked(lock):
            if boot_clock() >= until:
                return KeeperState.BUSY
            time.sleep(_LOOK_S)
        return said(lock)
    finally:
        os.close(lock)


def _take(path: Path, group: Cgroup | None) -> int:
    """Take the lock before there is a command: no moment is left in which nobody holds it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        begin(lock, group)
    except OSError:
        os.close(lock)
        raise
    return lock


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run_with(
    keeper: KeeperLink, launch: Launch, locks: tuple[int, ...], await_readable: AwaitReadable | None
) -> Ending | None:
    """Have a keeper run a command; return what it says, None if it was killed before it could."""
    try:
        with Errand(launch) as errand:
            keeper.entrust((*errand.theirs, *locks))
            errand.hand_over()
            is_wanted = _await(errand.report, await_readable)
            if not is_wanted:
                errand.end_now()
            ending = errand.answer()
    except BaseException:  # it ends the command by itself
        STANDBY.leave()
        raise
    if ending and ending.surviving:
        STANDBY.leave()
    elif not keeper.is_ready_again():
        STANDBY.dismiss()
    if ending and ending.killed and not is_wanted:
        return msgspec.structs.replace(ending, cut_off=True)
    return ending


def _one(lock: int | None) -> tuple[int, ...]:
    return () if lock is None else (lock,)


def _without_keeper(spawn: Spawn, lock: int | None, group: Cgroup | None) -> Ending:
    """Take the keeper's place: what the command started is nobody's any more."""
    killed = 0
    state = KeeperState.KILLED if lock is None else said(lock)
    if spawn.leaves_daemon and state in (KeeperState.EXITED, KeeperState.FINISHED):
        if group:
            release(group)
    else:
        killed = sweep(spawn.marker, group)
    return Ending(error="its keeper was killed", killed=killed)


def _await(report: int, await_readable: AwaitReadable | None) -> bool:
    """Wait for the keeper's word; tell whether the command may come to its end."""
    try:
        if await_readable:
            await_readable(report)
    except EndNow:
        return False
    return True
