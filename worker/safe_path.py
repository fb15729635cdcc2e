"""Where a path leads when nobody but root and the worker's own user is believed.

A path is walked component by component, each opened below the one before, so that what was judged
is what is used: whoever swaps a directory for a link in between is left behind. Links are read and
walked here, never by the kernel.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from worker.spot import Link, Spot, UntrustedPathError
from worker.step_open import step_open

_MOST_LINKS = 40  # as the kernel's own limit
_LOOK = os.O_PATH
_ENTER = os.O_PATH | os.O_DIRECTORY
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Reach(Enum):
    """How far others are believed on the way."""

    OURS = auto()  # not at all: what root runs, and what the worker believes
    THEIRS = auto()  # their directories are walked; a link of theirs leads only to what is theirs


def find(
    path: Path, reach: Reach = Reach.THEIRS, *, follow: bool = True, make: int | None = None
) -> Spot:
    """Return where an absolute path leads; what has the last name may be missing.

    `follow` is about a link at the very end. With `make`, missing directories are made with that
    mode. Raises OSError; UntrustedPathError if somebody else has a say in where it leads.
    """
    way = _Way(path, reach, make)
    try:
        while way.waiting:
            if spot := way.step(follow=follow):
                return spot
        return way.spot(".")
    finally:
        way.close()


def check_ours(path: Path, *, follow: bool = False) -> None:
    """See to it that only root and we have a say in what is at a path. Raises OSError.

    From then on nobody else can change that, so the path may be used by its name.
    """
    with find(path, Reach.OURS, follow=follow) as spot:
        seen = spot.stat()
        if stat.S_ISLNK(seen.st_mode):
            raise UntrustedPathError(str(spot), "is a link; name the file itself")
        _judge(seen, lambda: str(spot))


def check_program(path: Path) -> None:
    """See to it that nobody but root and us has a say in what a program is.

    One that is missing is nobody's: starting it will tell. Raises UntrustedPathError.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        check_ours(path, follow=True)


class _Way:
    """How far a walk has come: the directories from `/` down, and what is still to be walked."""

    def __init__(self, path: Path, reach: Reach, make: int | None) -> None:
        self.waiting = list(reversed(path.parts[1:]))
        self._reach, self._make = reach, make
        self._links: list[Link] = []
        self._followed = 0
        self._names: list[str] = []
        self._open = [os.open("/", _ENTER | os.O_CLOEXEC)]

    def step(self, *, follow: bool) -> Spot | None:
        """Walk one component; return the spot if that was the last."""
        name = self.waiting.pop()
        if name == "..":
            self._go_up()
            return None
        if not (self.waiting or follow):
            return self.spot(name)
        if self.waiting and self._walk_in(name):
            return None
        try:
            found = step_open(self._open[-1], name, _LOOK)
        except FileNotFoundError:
            if not self.waiting:
                return self.spot(name)
            self._make_directory(name)
            return None
        return self._arrive(found, name)

    def spot(self, name: str) -> Spot:
        return Spot(os.dup(self._open[-1]), name, tuple(self._names), tuple(self._links))

    def close(self) -> None:
        for descriptor in self._open:
            os.close(descriptor)

    def _walk_in(self, name: str) -> bool:
        """Go into what is a directory; tell whether it was one."""
        try:
            found = step_open(self._open[-1], name, _ENTER)
        except OSError:  # a look at it will tell what it is
            return False
        self._enter(found, name)
        return True

    def _arrive(self, found: int, name: str) -> Spot | None:
        seen = os.fstat(found)
        if stat.S_ISDIR(seen.st_mode) and self.waiting:  # by now
            self._enter(found, name)
            return None
        try:
            if stat.S_ISLNK(seen.st_mode):
                self._follow(found, seen, name)
                return None
        finally:
            os.close(found)
        if self.waiting:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self._here(name))
        return self.spot(name)

    def _enter(self, found: int, name: str) -> None:
        self._open.append(found)
        if self._reach is Reach.OURS:
            _judge(os.fstat(found), lambda: self._here(name))
        self._names.append(name)

    def _follow(self, found: int, seen: os.stat_result, name: str) -> None:
        here = self._here(name)
        self._followed += 1
        if self._followed > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), here)
        target = Path(os.readlink("", dir_fd=found))
        if target.is_absolute() and seen.st_dev == _device("/proc"):
            raise UntrustedPathError(here, "is a magic link of the kernel's")
        if seen.st_uid not in trusted():
            if self._reach is Reach.OURS:
                raise UntrustedPathError(here, f"is a link of user {seen.st_uid}")
            self._links.append(Link(here, seen.st_uid))
        if target.is_absolute():
            while self._names:
                self._go_up()
        self.waiting += reversed(target.parts[1:] if target.is_absolute() else target.parts)

    def _go_up(self) -> None:
        if self._names:
            self._names.pop()
            os.close(self._open.pop())

    def _make_directory(self, name: str) -> None:
        if self._make is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._here(name))
        with self.spot(name) as spot:
            spot.check_writable()
            os.mkdir(name, self._make, dir_fd=spot.directory)
            spot.sync()
        self.waiting.append(name)

    def _here(self, name: str) -> str:
        return str(Path("/", *self._names, name))


def trusted() -> frozenset[int]:
    """Return the users who are believed: root, and the worker's own."""
    return frozenset({0, os.geteuid()})


def _judge(seen: os.stat_result, path: Callable[[], str]) -> None:
    """Raise UntrustedPathError if somebody else may change what is there."""
    if seen.st_uid not in trusted():
        raise UntrustedPathError(path(), f"belongs to user {seen.st_uid}, not to root")
    may_write = seen.st_mode & _OTHERS_WRITE
    if os.geteuid() and seen.st_gid == os.getegid():  # a user's own group, as many systems have it
        may_write &= ~stat.S_IWGRP
    is_sticky = stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX  # such as /tmp
    if may_write and not is_sticky:
        raise UntrustedPathError(path(), f"can be written by others; run: chmod go-w {path()}")


def _device(path: str) -> int:
    try:
        return Path(path).stat().st_dev
    except OSError:
        return -1
