"""Processes in which the kernel forbids every change: one that tries dies at once, by SIGSYS.

A seccomp filter needs no privilege and no other program. What it lets live has changed no file,
signalled nobody and started nothing. A filter stays for ever, so each is put into a fork.
"""

import ctypes
import errno
import os
import pickle
import platform
import signal
import struct
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: ld abs; jeq; jset; ret
_KILL, _ALLOW, _ERROR = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_CREATING = os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_TMPFILE & ~os.O_DIRECTORY
_WRITING = os.O_WRONLY | os.O_RDWR

# Names of syscalls, with their numbers on x86-64 and arm64; None where there is no such one.
_CHANGING: dict[str, tuple[int | None, int | None]] = {
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "creat": (85, None),
    "link": (86, None), "linkat": (265, 37), "unlink": (87, None), "unlinkat": (263, 35),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "mount": (165, 40), "umount2": (166, 39), "bind": (49, 200), "io_uring_setup": (425, 425),
}  # fmt: skip
_STARTING: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "pidfd_send_signal": (424, 424),
}  # fmt: skip
_GROUPING = ("mkdir", "mkdirat")  # how a keeper makes a control group, if it may
_OPENAT2 = 437  # keeps its flags where no filter sees them: who asks is sent to openat
_OPENING = {"open": (2, None, 1), "openat": (257, 56, 2)}  # and which argument has the flags
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class ChangedError(AssertionError):
    """What was to change nothing tried to."""


def still(look: Callable[[], T], *, may_start: bool = False) -> T:
    """Return what a function gives in a fork that may change nothing.

    With `may_start` it may start programs (which may then change nothing either), signal them and
    open what is there for writing, as a keeper does /dev/null. To make a directory is then refused
    only: a keeper tries to have a control group, and does without.
    """
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _be_still(look, tell, may_start=may_start)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        said = pipe.read()
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS:
        raise ChangedError("a syscall that changes something was tried")
    assert said, f"ended with status {status}"
    result: T | str = pickle.loads(said)  # noqa: S301 - our own child's
    assert status == 0, result
    return result  # type: ignore[return-value]


def _be_still(look: Callable[[], object], tell: int, *, may_start: bool) -> None:
    code = 1
    try:
        _forbid(may_start=may_start)
        said: object = look()
        code = 0
    except BaseException:  # noqa: BLE001 - the parent's pytest must not see it
        said = traceback.format_exc()
    finally:
        os.write(tell, pickle.dumps(said))
        os._exit(code)


def _forbid(*, may_start: bool) -> None:
    column, architecture = _MACHINES[platform.machine()]
    changing = _CHANGING if may_start else _CHANGING | _STARTING
    refused = _GROUPING if may_start else ()
    no, nothing = _ERROR | errno.EACCES, _ERROR | errno.ENOSYS
    verdicts = [(row[column], no if name in refused else _KILL) for name, row in changing.items()]
    verdicts.append((_OPENAT2, nothing))
    openings = [(row[column], row[2]) for row in _OPENING.values()]
    flags = _CREATING if may_start else _CREATING | _WRITING
    program = b"".join(_program(architecture, verdicts, openings, flags))
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _FILTER, header, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


def _program(
    architecture: int,
    verdicts: Iterable[tuple[int | None, int]],
    openings: Iterable[tuple[int | None, int]],
    flags: int,
) -> Iterable[bytes]:
    yield _instruction(_LOAD, _ARCHITECTURE)
    yield _instruction(_EQUAL, architecture, 1, 0)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER)
    for number, verdict in verdicts:
        if number is not None:
            yield _instruction(_EQUAL, number, 0, 1)
            yield _instruction(_RETURN, verdict)
    for number, place in openings:
        if number is not None:
            yield _instruction(_EQUAL, number, 0, 4)
            yield _instruction(_LOAD, _ARGUMENTS + 8 * place)
            yield _instruction(_ANY_BIT, flags, 0, 1)
            yield _instruction(_RETURN, _KILL)
            yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _ALLOW)


def _instruction(code: int, operand: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, operand)
