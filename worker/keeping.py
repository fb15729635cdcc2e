"""The keeper's own process: it takes one command after another from its executor, and ends with it.

With each come descriptors: the launch, the end of a pipe that breaks when the executor is gone or
wants the command ended, the end of one that takes the keeper's word, and the locks to hold, the
step's own first if it has one. When nothing of a command is left, and all that came with it is
closed, the keeper says that it is ready for the next one. If it had to end something, or left a
service, it is not as it was, and ends.
"""

import gc
import os
import socket
from array import array
from contextlib import suppress
from signal import SIGKILL
from typing import NoReturn

import msgspec

from worker.birth import fork_into
from worker.cgroup import Cgroup
from worker.keeper_state import EXITED, FINISHED, mark
from worker.launch import Launch
from worker.process_tree import ProcessTree
from worker.signals import hear_children
from worker.spawn import Ending
from worker.warden import Warden, become_subreaper

_ROOM = socket.CMSG_SPACE(250 * array("i").itemsize)  # bytes, for more descriptors than ever come


def be_keeper(executor: socket.socket, group: Cgroup | None) -> int:
    """Fork a keeper into a group; return its pid. Raises OSError.

    It never looks at the executor's objects as garbage: they are not its to finalise (SQLite
    connections!).
    """
    keeper = -1
    gc.disable()
    try:
        keeper, inside = fork_into(group)
        if keeper == 0:
            _serve(executor, ProcessTree(inside))
        return keeper
    finally:
        if keeper != 0:
            gc.enable()


def _serve(executor: socket.socket, tree: ProcessTree) -> NoReturn:
    """Be the keeper, and never return into the executor's code."""
    code = 1
    try:
        gc.freeze()
        gc.enable()
        os.setsid()  # a Ctrl-C in the executor's terminal is not meant for the command
        _close_all_but(executor.fileno())
        become_subreaper()
        warden = Warden(tree, hear_children())
        while descriptors := _next(executor):
            if not _see_to(warden, *descriptors):
                os._exit(0)
            executor.send(b"!")
        tree.leave()  # nobody else removes the group
        code = 0
    finally:
        os._exit(code)


def _next(executor: socket.socket) -> list[int]:
    """Wait for a command; return what came with it, nothing if the executor is gone."""
    # socket.recv_fds ignores its flags until Python 3.12: a command would inherit all of them.
    _, told, _, _ = executor.recvmsg(1, _ROOM, socket.MSG_CMSG_CLOEXEC)
    return [number for *_, data in told for number in array("i", data)]


def _see_to(warden: Warden, charge: int, life: int, tell: int, *locks: int) -> bool:
    """Keep one command; tell whether all is as it was."""
    with open(charge, "rb") as file:
        launch = msgspec.msgpack.decode(file.read(), type=Launch)
    lock = locks[0] if launch.has_lock else None
    try:
        is_as_before = warden.keep(
            launch, life, lambda: _mark(lock, EXITED), lambda ending: _report(tell, ending)
        )
    except Exception as error:  # noqa: BLE001 - it must be told, there is nobody else to
        killed = len(warden.tree.signal(SIGKILL))
        _report(tell, Ending(error=f"its keeper failed: {error!r}", killed=killed))
        return False
    _mark(lock, FINISHED)
    for descriptor in (life, *locks):
        os.close(descriptor)
    return is_as_before


def _mark(lock: int | None, state: bytes) -> None:
    if lock is not None:
        mark(lock, state)


def _report(pipe: int, ending: Ending) -> None:
    with suppress(BrokenPipeError), open(pipe, "wb") as out:  # the executor may be gone
        out.write(msgspec.msgpack.encode(ending))


def _close_all_but(kept: int) -> None:
    """Let go of what the executor has open: its own locks must end with it, not with us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    for fd in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - a Path for each costs more
        if fd not in {0, 1, 2, kept}:
            with suppress(OSError):  # the listing's own is closed already
                os.close(fd)
