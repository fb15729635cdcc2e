"""Opens one component of a path below a directory that is open, and never through a link.

By openat2(2), which the kernel holds to it; before Linux 5.6, or where a sandbox bars that call, by
openat(2) with O_NOFOLLOW, which for a single component comes to the same.
"""

import errno
import os
import struct
from collections.abc import Callable
from functools import cache

_OPENAT2 = 437  # on every architecture that Python's wheels are for
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
_BARRED = frozenset({errno.ENOSYS, errno.EPERM})  # an old kernel, a sandbox
_HOW = struct.Struct("=QQQ")  # struct open_how: flags, mode, resolve


def step_open(directory: int, name: str, flags: int, mode: int = 0) -> int:
    """Open what a directory has under a name. Raises OSError: ELOOP for a link without O_PATH."""
    try:
        return by_openat2(directory, name, flags, mode)
    except OSError as error:
        if error.errno not in _BARRED:
            raise
    return by_openat(directory, name, flags, mode)


def by_openat2(directory: int, name: str, flags: int, mode: int = 0) -> int:
    """Open it so that the kernel itself refuses every link and every way out."""
    _check(name)
    how = _HOW.pack(_always(flags), mode, _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
    found = _syscall()(_OPENAT2, directory, os.fsencode(name), how, _HOW.size)
    if found < 0:
        number = _errno()
        raise OSError(number, os.strerror(number), name)
    return found


@cache
def _syscall() -> Callable[..., int]:
    import ctypes  # half a megabyte: only for who opens something

    return ctypes.CDLL(None, use_errno=True).syscall


def _errno() -> int:
    import ctypes

    return ctypes.get_errno()


def by_openat(directory: int, name: str, flags: int, mode: int = 0) -> int:
    """Open it without the kernel's help: one component can only lead astray by being a link."""
    _check(name)
    return os.open(name, _always(flags), mode, dir_fd=directory)


def _always(flags: int) -> int:
    return flags | os.O_NOFOLLOW | os.O_CLOEXEC


def _check(name: str) -> None:
    if "/" in name or "\0" in name or name in {"", ".."}:
        raise OSError(errno.EXDEV, "no single component of a path", name)
