"""Opens one component of a path below a directory that is open, and never through a link."""

import errno
import os


def step_open(directory: int, name: str, flags: int, mode: int = 0) -> int:
    """Open what a directory has under a name. Raises OSError: ELOOP for a link without O_PATH.

    openat2(2) could bar links and ways out of a whole path; one component can only lead astray by
    being a link, or by being no single component.
    """
    if "/" in name or "\0" in name or name in {"", ".."}:
        raise OSError(errno.EXDEV, "no single component of a path", name)
    return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=directory)
