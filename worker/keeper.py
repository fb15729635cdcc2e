"""Runs one command so that nothing of it outlives the step, whatever becomes of the executor.

    executor ──fork──> keeper ─spawn──> command ──> its children, daemons, orphans
        └── life pipe ──┘ └── subreaper of all of them, holds the lock

A process of its own, for three reasons. Killing a process group misses daemons and new sessions,
a subreaper misses nothing. When the executor is killed, the pipe between them ends, and the keeper
ends the command. And the lock that it holds tells a later executor when all of it is over.
"""

import fcntl
import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from signal import SIGKILL
from typing import NoReturn

import msgspec

from worker.birth import fork_into
from worker.cgroup import Cgroup, make
from worker.launch import Launch, prepare, why_not
from worker.proc import boot_clock
from worker.process_tree import ProcessTree, release, sweep
from worker.spawn import GRACE, Ending, Spawn
from worker.warden import keep

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

# As long as each other: one takes the place of another.
_BUSY, _EXITED, _FINISHED = b"busy    \n", b"exited  \n", b"finished\n"
_LOOK_S = 0.02


AwaitReadable = Callable[[int], None]  # returns when the descriptor can be read


class EndNow(Exception):  # noqa: N818 - not an error: somebody wants the command ended
    """Raised by `await_readable` to end the command now and still be told how it ended."""


class KeeperState(StrEnum):
    """What a lock file tells about the keeper that held it."""

    NONE = "none"  # no keeper ever held it
    BUSY = "busy"  # it still runs
    FINISHED = "finished"  # nothing is left but what was meant to stay
    EXITED = "exited"  # it vanished after its command's normal exit: what lives may be a service
    KILLED = "killed"  # it vanished at work (or the machine did): sweep what the step started


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
        lock = _take(spawn.lock_path) if spawn.lock_path else None
    except BlockingIOError:
        return Ending(error=f"what an earlier step started still runs ({spawn.lock_path})")
    except OSError as error:
        return Ending(error=f"can't take the lock {spawn.lock_path}: {error.strerror}")
    try:
        return _run_with_keeper(launch, lock, await_readable)
    except OSError as error:
        return Ending(error=f"can't start a keeper: {error.strerror}")
    finally:
        if lock is not None:
            os.close(lock)  # the keeper shares it, and holds it on its own from here


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
        return _said(lock)
    finally:
        os.close(lock)


def _take(path: Path) -> int:
    """Take the lock before there is a keeper: no moment is left in which nobody holds it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _mark(lock, _BUSY)
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


def _said(lock: int) -> KeeperState:
    """Tell how a keeper ended that holds its lock no longer."""
    said = os.pread(lock, len(_FINISHED), 0)
    if not said:
        return KeeperState.NONE
    ended = {_FINISHED: KeeperState.FINISHED, _EXITED: KeeperState.EXITED}
    return ended.get(said, KeeperState.KILLED)


def _mark(lock: int, state: bytes) -> None:
    os.pwrite(lock, state, 0)


def _run_with_keeper(
    launch: Launch, lock: int | None, await_readable: AwaitReadable | None
) -> Ending:
    report, tell = os.pipe()
    life, alive = os.pipe()
    group = make(launch.spawn.new_group())
    try:
        keeper, inside = _fork(group)
        if keeper == 0:
            _be_keeper(launch, ProcessTree(inside), life, tell, lock)
        os.close(tell)
        tell = -1
        is_wanted = _await(report, await_readable)
        if not is_wanted:
            os.close(alive)
            alive = -1
        with open(report, "rb", closefd=False) as pipe:
            told = pipe.read()
        ending = msgspec.msgpack.decode(told, type=Ending) if told else None
        if ending is None or not ending.surviving:
            os.waitpid(keeper, 0)
    finally:
        _close(report, tell, life, alive)
        if group:
            group.remove()  # unless a keeper is still in it, which then sees to that itself
    if ending and ending.killed and not is_wanted:
        ending = msgspec.structs.replace(ending, cut_off=True)
    return ending or _without_keeper(launch.spawn, lock)


def _fork(group: Cgroup | None) -> tuple[int, Cgroup | None]:
    """Fork the keeper, which collects no garbage.

    The executor's objects are not its to finalise (SQLite connections!), from its first instant.
    """
    keeper = -1
    gc.disable()
    try:
        keeper, inside = fork_into(group)
        return keeper, inside
    finally:
        if keeper != 0:
            gc.enable()


def _close(*pipes: int) -> None:
    for fd in pipes:
        if fd >= 0:
            os.close(fd)


def _without_keeper(spawn: Spawn, lock: int | None) -> Ending:
    """Take the keeper's place: what the command started is nobody's any more."""
    killed = 0
    state = KeeperState.KILLED if lock is None else _said(lock)
    if spawn.leaves_daemon and state in (KeeperState.EXITED, KeeperState.FINISHED):
        release(spawn.marker, spawn.lock_path)
    else:
        killed = sweep(spawn.marker, spawn.lock_path)
    return Ending(error="its keeper was killed", killed=killed)


def _await(report: int, await_readable: AwaitReadable | None) -> bool:
    """Wait for the keeper's word; tell whether the command may come to its end."""
    try:
        if await_readable:
            await_readable(report)
    except EndNow:
        return False
    return True


def _be_keeper(
    launch: Launch, tree: ProcessTree, life: int, tell: int, lock: int | None
) -> NoReturn:
    """Be the keeper in the forked process, and never return into the executor's code."""
    code = 1
    try:
        os.setsid()  # a Ctrl-C in the executor's terminal is not meant for the command
        _close_all_but({life, tell, *launch.spawn.locks, *([] if lock is None else [lock])})

        def report(ending: Ending) -> None:
            _report(tell, ending)

        def exited() -> None:
            if lock is not None:
                _mark(lock, _EXITED)

        try:
            keep(launch, tree, life, exited, report)
        except Exception as error:  # noqa: BLE001 - it must be told, there is nobody else to
            killed = len(tree.signal(SIGKILL))
            report(Ending(error=f"its keeper failed: {error!r}", killed=killed))
        else:
            if lock is not None:
                _mark(lock, _FINISHED)
            code = 0
    finally:
        os._exit(code)


def _report(pipe: int, ending: Ending) -> None:
    with suppress(BrokenPipeError), open(pipe, "wb") as out:  # the executor may be gone
        out.write(msgspec.msgpack.encode(ending))


def _close_all_but(kept: set[int]) -> None:
    """Let go of what the executor has open: its own locks must end with it, not with us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    for fd in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - a Path for each costs more
        if fd not in {0, 1, 2, *kept}:
            with suppress(OSError):  # the listing's own is closed already
                os.close(fd)
