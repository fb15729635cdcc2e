"""Writes down all that is done to one directory: through Python's calls, and by SQLite."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.campaign.power.platter import (
    Create,
    Operation,
    Remove,
    Rename,
    Returned,
    Sync,
    SyncDirectory,
    Truncate,
    Write,
)


class DiskLog:
    """What was done to a directory, in order."""

    def __init__(self, directory: Path) -> None:
        """Begin with an empty directory."""
        self.directory = directory
        self.operations: list[Operation] = []
        self._files: dict[str, int] = {}  # by name
        self._known: dict[str, bytes] = {}  # the contents that were not written by SQLite
        self._numbers = itertools.count()

    def open(self, path: Path) -> int:
        """Return a file's number; it is made if its name is new."""
        if path.name not in self._files:
            self._files[path.name] = next(self._numbers)
            self.operations.append(Create(path.name, self._files[path.name]))
        return self._files[path.name]

    def write(self, file: int, offset: int, data: bytes) -> None:
        self.operations.append(Write(file, offset, data))

    def truncate(self, file: int, size: int) -> None:
        self.operations.append(Truncate(file, size))

    def sync(self, file: int) -> None:
        self.operations.append(Sync(file))

    def sync_directory(self) -> None:
        self.operations.append(SyncDirectory())

    def remove(self, path: Path) -> None:
        if self._files.pop(path.name, None) is not None:
            self.operations.append(Remove(path.name))

    def rename(self, old: Path, new: Path) -> None:
        file = self._files.pop(old.name)
        self._files[new.name] = file
        self.operations.append(Rename(old.name, new.name, file))

    def returned(self) -> None:
        """Note that a call has returned: from now on its caller relies on it."""
        self.operations.append(Returned())

    @contextmanager
    def listening(self, *, to_writes: bool) -> Iterator[None]:
        """Hear what Python code does to the directory; `to_writes` if it also fills files."""
        really_fsync, really_rename, really_unlink = os.fsync, Path.rename, Path.unlink

        def fsync(descriptor: int) -> None:
            really_fsync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            self._look(to_writes=to_writes)
            if path == self.directory:
                self.sync_directory()
            elif path.parent == self.directory:
                self.sync(self.open(path))

        def rename(path: Path, target: Path) -> Any:
            self._look(to_writes=to_writes)
            renamed = really_rename(path, target)
            self.rename(path, target)
            return renamed

        def unlink(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - pathlib's
            self._look(to_writes=to_writes)
            really_unlink(path, missing_ok=missing_ok)
            self.remove(path)

        with (
            patch.object(os, "fsync", fsync),
            patch.object(Path, "rename", rename),
            patch.object(Path, "unlink", unlink),
        ):
            yield

    def _look(self, *, to_writes: bool) -> None:
        """Note what was put into files since the last look."""
        for path in sorted(self.directory.iterdir()) if to_writes else ():
            if not path.is_file():
                continue
            file, content = self.open(path), path.read_bytes()
            if content != self._known.get(path.name):
                self._known[path.name] = content
                self.write(file, 0, content)
