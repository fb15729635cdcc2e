"""A name in a directory that is held open, where a path has led: what is done, is done there."""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from worker.step_open import step_open


class UntrustedPathError(PermissionError):
    """Somebody whom the worker does not believe could have led the path to where he likes."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(errno.EACCES, f"{path} {why}", path)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of somebody else's that was followed."""

    path: str
    uid: int


class Spot:
    """A name in a directory that is held open: what is done with it is done there."""

    __slots__ = ("_links", "_way", "directory", "name")

    def __init__(
        self, directory: int, name: str, way: tuple[str, ...], links: tuple[Link, ...]
    ) -> None:
        """Take over the directory's descriptor; `way` are the names of those down to it."""
        self.directory = directory
        self.name = name
        self._way = way
        self._links = links

    @property
    def path(self) -> Path:
        """Return where it really is."""
        return Path("/", *self._way, self.name)

    def __str__(self) -> str:
        return str(self.path)

    def open(self, flags: int, mode: int = 0) -> int:
        """Open what is there, never through a link. Raises OSError.

        A link of somebody else's must have led to what is his: he could open that himself.
        """
        found = step_open(self.directory, self.name, flags, mode)
        try:
            self._check(os.fstat(found).st_uid)
        except OSError:
            os.close(found)
            raise
        return found

    def stat(self) -> os.stat_result:
        """Look at what is there itself. Raises OSError."""
        return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)

    def observed(self) -> os.stat_result:
        """Look at what is there itself; a file by the rule of `open`. Raises OSError."""
        found = self.stat()
        if stat.S_ISREG(found.st_mode):
            self._check(found.st_uid)
        return found

    def beside(self, name: str) -> "Spot":
        """Return another name in the same directory."""
        return Spot(os.dup(self.directory), name, self._way, self._links)

    def check_writable(self) -> None:
        """See to it that nobody else led here who may not write here anyhow. Raises OSError."""
        self._check(os.fstat(self.directory).st_uid)

    def create(self) -> int:
        """Make a file for us alone, and open it; whatever had the name goes. Raises OSError."""
        self.check_writable()
        with suppress(FileNotFoundError):
            self.unlink()
        return step_open(self.directory, self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def replace(self, place: "Spot") -> None:
        """Take the place of another name in the same directory, for good. Raises OSError."""
        here = self.directory
        os.rename(self.name, place.name, src_dir_fd=here, dst_dir_fd=here)
        self.sync()

    def unlink(self) -> None:
        """Remove the name. Raises OSError."""
        self.check_writable()
        os.unlink(self.name, dir_fd=self.directory)

    def sync(self) -> None:
        """Make the names in the directory survive a power loss. Raises OSError."""
        readable = step_open(self.directory, ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(readable)
        finally:
            os.close(readable)

    def close(self) -> None:
        """Let the directory go."""
        os.close(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self, owner: int) -> None:
        for link in self._links:
            if link.uid != owner:
                raise UntrustedPathError(link.path, "is the link of somebody else")
