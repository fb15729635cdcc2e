"""How a keeper and its command come into the world: born in the command's control group.

Neither is moved there: that takes the kernel some milliseconds, and a fork could be quicker. The
keeper is forked by clone3(2) with CLONE_INTO_CGROUP (Linux 5.7). Before an older kernel, or in a
process of several threads, it is forked as usual and moves itself before it does anything else. Its
command is spawned without a copy of the keeper's memory.
"""

import ctypes
import errno
import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from worker.cgroup import Cgroup
from worker.safe_path import UntrustedPathError, check_program
from worker.spawn import Spawn

_SYS_CLONE3 = 435  # on every architecture
_CLONE_INTO_CGROUP = 0x2_0000_0000
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

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


@dataclass(frozen=True, slots=True)
class Process:
    """A command's first process, and our ends of its pipes."""

    pid: int
    stdin: int | None  # None: it reads nothing
    stdout: int
    stderr: int


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


def check(spawn: Spawn) -> None:
    """See to it that a command is a program that nobody else has a say in. Raises as `start`."""
    if not spawn.argv[0].startswith("/"):
        raise ValueError(f"{spawn.argv[0]}: a program needs its absolute path")
    check_program(Path(spawn.program))


def start(spawn: Spawn) -> Process:
    """Start a command where we are, by control group, in a session of its own.

    Our own directory and umask become the command's, and our standard input is its, if it has none.
    Raises OSError with the file that was to blame, and ValueError.
    """
    with ExitStack() as theirs, ExitStack() as ours:
        out, stdout = _pipe(ours, theirs)
        err, stderr = _pipe(ours, theirs)
        stdin, feed = (0, None) if spawn.stdin is None else _pipe(theirs, ours)
        os.umask(0o077)
        os.chdir(spawn.root.locate(spawn.cwd))
        ends = [(end, place) for place, end in enumerate((stdin, stdout, stderr)) if end != place]
        pid = os.posix_spawn(
            spawn.program,
            [spawn.program, *spawn.argv[1:]],
            spawn.environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, *each) for each in ends],
            setsid=True,
            setsigmask=(),
            setsigdef=_IGNORED_BY_PYTHON,
        )
        ours.pop_all()
    return Process(pid, feed, out, err)


def why_not(error: OSError | ValueError, spawn: Spawn) -> str:
    """Return why a command did not start, for people."""
    if not isinstance(error, OSError):
        return str(error)
    name = str(error.filename or spawn.program)
    if isinstance(error, UntrustedPathError):
        return f"{spawn.program} is not run: {error.strerror}"
    if error.errno == errno.ENOENT and name == spawn.program:
        there = os.path.lexists(name)
        return f"{name}: its interpreter is missing" if there else f"no such program: {name}"
    if error.errno == errno.ENOEXEC:
        return f"{name}: no program, or a script without a #! line"
    return f"{name}: {(error.strerror or str(error)).lower()}"


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Return the two ends of a pipe, each to be closed by one of the two; none outlives an exec."""
    read, write = os.pipe()
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write
