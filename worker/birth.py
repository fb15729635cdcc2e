"""The birth of a command's first process: inside its control group, with pipes for what it says.

It is there from its first instant, so no fork of its is quicker than being moved. clone3(2) with
CLONE_INTO_CGROUP bears it there (Linux 5.7). Elsewhere it moves itself before it becomes the
command, which takes the kernel some milliseconds.
"""

import ctypes
import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from worker.cgroup import Cgroup
from worker.spawn import Spawn

_SYS_CLONE3 = 435  # on every architecture
_CLONE_INTO_CGROUP = 0x2_0000_0000
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_NOT_STARTED = 127


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


@dataclass(frozen=True, slots=True)
class _Image:
    """What a process becomes, worked out beforehand: after the fork nothing of ours may fail."""

    argv: list[str]
    environment: Mapping[str, str]
    cwd: Path

    @classmethod
    def of(cls, spawn: Spawn) -> "_Image":
        argv = [spawn.program, *spawn.argv[1:]]
        return cls(argv, spawn.environment, spawn.root.locate(spawn.cwd))


def start(spawn: Spawn, group: Cgroup | None) -> Process:
    """Start a command in a control group, or where we are.

    Needs a process of one thread, whose own standard input is nothing. Raises OSError, with the
    file that was to blame, and ValueError.
    """
    image = _Image.of(spawn)
    with ExitStack() as theirs, ExitStack() as ours:
        trouble, tell = _pipe(ours, theirs)
        out, stdout = _pipe(ours, theirs)
        err, stderr = _pipe(ours, theirs)
        stdin, feed = (0, None) if spawn.stdin is None else _pipe(theirs, ours)
        pid = _fork_into(group)
        if pid == 0:
            _become(image, (stdin, stdout, stderr), tell)
        theirs.close()
        if problem := _read(trouble):
            os.waitpid(pid, 0)
            raise _error(problem)
        ours.pop_all()
        os.close(trouble)
    return Process(pid, feed, out, err)


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Return the two ends of a pipe, each to be closed by one of the two; none outlives an exec."""
    read, write = os.pipe()
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write


def _read(pipe: int) -> bytes:
    with open(pipe, "rb", closefd=False) as told:
        return told.read()


def _fork_into(group: Cgroup | None) -> int:
    """Fork as os.fork does, with the child in the group; if it may not be there, where we are."""
    if group is None:
        return os.fork()
    with suppress(OSError):  # an old kernel, or a filter of system calls
        return _clone_into(group)
    pid = os.fork()
    if pid == 0:
        with suppress(OSError):
            group.take(0)
    return pid


def _clone_into(group: Cgroup) -> int:
    # PyDLL keeps Python's lock held, so that the child has it.
    libc, python = ctypes.PyDLL(None, use_errno=True), ctypes.pythonapi
    libc.syscall.restype = ctypes.c_long
    directory = os.open(group.path, os.O_RDONLY | os.O_DIRECTORY)
    asked = _CloneArgs(flags=_CLONE_INTO_CGROUP, exit_signal=signal.SIGCHLD, cgroup=directory)
    size = ctypes.c_size_t(ctypes.sizeof(asked))
    python.PyOS_BeforeFork()
    pid = int(libc.syscall(ctypes.c_long(_SYS_CLONE3), ctypes.byref(asked), size))
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    os.close(directory)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "can't start a process in a control group")
    return pid


def _become(image: _Image, streams: tuple[int, int, int], tell: int) -> NoReturn:
    """Become the command in the forked process; tell why not, if it can't be."""
    try:
        os.setsid()
        os.umask(0o077)
        for place, end in enumerate(streams):
            os.dup2(end, place)
        os.closerange(3, tell)
        os.closerange(tell + 1, os.sysconf("SC_OPEN_MAX"))
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        os.chdir(image.cwd)
        os.execve(image.argv[0], image.argv, image.environment)  # noqa: S606 - without a shell
    except OSError as error:
        os.write(tell, f"{error.errno}\0{error.filename}".encode(errors="surrogateescape"))
    except ValueError as error:
        os.write(tell, f"0\0{error}".encode(errors="backslashreplace"))
    finally:
        os._exit(_NOT_STARTED)


def _error(problem: bytes) -> OSError | ValueError:
    number, _, what = problem.partition(b"\0")
    if code := int(number):
        return OSError(code, os.strerror(code), os.fsdecode(what))
    return ValueError(what.decode())
