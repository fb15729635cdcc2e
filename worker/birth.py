"""How a keeper comes into the world: born in its command's control group.

It is not moved there: that takes the kernel some milliseconds, and a fork could be quicker. It is
forked by clone3(2) with CLONE_INTO_CGROUP (Linux 5.7). Before an older kernel, or in a process of
several threads, it is forked as usual and moves itself before it does anything else.
"""

import ctypes
import os
import signal
from contextlib import suppress

from worker.cgroup import Cgroup

_SYS_CLONE3 = 435  # on every architecture
_CLONE_INTO_CGROUP = 0x2_0000_0000

# PyDLL keeps Python's lock held, so that the child has it.
_syscall = ctypes.PyDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class _CloneArgs(ctypes.Structure):
    """The `clone_args` of clone3(2)."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            *("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack"),
            *("stack_size", "tls", "set_tid", "set_tid_size", "cgroup"),
        )
    )


def fork_into(group: Cgroup | None) -> tuple[int, Cgroup | None]:
    """Fork as os.fork does, with the child in a group; tell it in which it is."""
    if group is None:
        return os.fork(), None
    if _is_of_one_thread():
        with suppress(OSError):  # an old kernel, or a filter of system calls
            return _clone_into(group), group
    pid = os.fork()
    if pid == 0:
        try:
            group.take(0)
        except OSError:
            return 0, None
    return pid, group


def _is_of_one_thread() -> bool:
    """Tell whether nobody but us can hold one of the C library's locks.

    Its own fork takes care of those, a bare system call does not: the child would wait for ever for
    a lock of memory that another thread held at that moment.
    """
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - a Path for each costs more


def _clone_into(group: Cgroup) -> int:
    python = ctypes.pythonapi
    directory = os.open(group.path, os.O_RDONLY | os.O_DIRECTORY)
    asked = _CloneArgs(flags=_CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=directory)
    size = ctypes.c_size_t(ctypes.sizeof(asked))
    python.PyOS_BeforeFork()
    pid = int(_syscall(ctypes.c_long(_SYS_CLONE3), ctypes.byref(asked), size))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    os.close(directory)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "can't start a process in a control group")
    return pid
