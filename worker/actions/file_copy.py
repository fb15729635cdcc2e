"""The action `file.copy`: copy files that belong together, with their owner, group and mode.

All of them are read and written beside their places first; only then do they take these, one rename
after another. So whatever can fail does so while nothing has changed yet.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract.action import CopiedFile, FileCopy
from worker.actions.action import ActionResult, Context, why
from worker.actions.draft import draft, follow, sync_directory, write_draft
from worker.observations.content import open_regular
from worker.observations.observation import ObservationError
from worker.root import Root

LARGEST = 16 * 1024 * 1024
_FOR_US_ALONE = 0o700


class CopyError(Exception):
    """A file can't be copied; the text says which one, and why."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """What a file holds, and the place that it is for."""

    place: Path
    content: bytes
    owner: tuple[int, int]
    mode: int


def copy_files(arguments: FileCopy, context: Context) -> ActionResult:
    """Copy them all, or none if one of them can't be read or written."""
    copies: list[_Copy] = []
    try:
        copies = _distinct([_read(file, context.root) for file in arguments.files])
        for copy in copies:
            _write(copy, make_directory=arguments.make_directory)
        for copy in copies:
            _take_place(copy)
    except (CopyError, ObservationError) as error:
        return ActionResult(ok=False, summary=str(error))
    finally:
        for copy in copies:
            with suppress(OSError):
                draft(copy.place).unlink()
    return ActionResult(ok=True, summary=f"copied to {', '.join(str(c.place) for c in copies)}")


def _read(file: CopiedFile, root: Root) -> _Copy:
    source, to = root.locate(file.path), root.locate(file.to)
    opened = open_regular(source)
    if opened is None:
        raise CopyError(f"can't copy {source}: it is not there")
    with opened:
        content, found = opened.read(LARGEST + 1), os.fstat(opened.fileno())
    if len(content) > LARGEST:
        raise CopyError(f"can't copy {source}: it is larger than {LARGEST // 1024**2} MiB")
    try:
        place = _place(to)
    except OSError as error:
        raise CopyError(f"can't copy to {to}: {why(error)}") from None
    return _Copy(place, content, (found.st_uid, found.st_gid), stat.S_IMODE(found.st_mode))


def _place(path: Path) -> Path:
    """Return the file that a path leads to.

    A link counts only if it is ours, root's, or of who may write there anyhow: anybody else could
    lead the copy to where he may not write himself.
    """
    place, links = follow(path)
    trusted = {0, os.geteuid()}
    with suppress(FileNotFoundError):
        trusted.add(place.parent.stat().st_uid)
    for link in links:
        if link.lstat().st_uid not in trusted:
            raise CopyError(f"can't copy to {path}: {link} is the link of somebody else")
    if place.is_symlink():
        raise CopyError(f"can't copy to {path}: its links lead in a circle")
    if place.exists() and not place.is_file():
        raise CopyError(f"can't copy to {place}: it is no regular file")
    return place


def _distinct(copies: Iterable[_Copy]) -> list[_Copy]:
    """Return one copy for each place: a certificate and its key may stand in the same file."""
    places: dict[Path, _Copy] = {}
    for copy in copies:
        if places.setdefault(copy.place, copy) != copy:
            raise CopyError(f"can't copy two different files to {copy.place}")
    return list(places.values())


def _write(copy: _Copy, *, make_directory: bool) -> None:
    try:
        if make_directory:
            _make_directory(copy.place.parent)
        write_draft(draft(copy.place), copy.content, copy.owner, copy.mode)
    except OSError as error:
        raise CopyError(f"can't copy to {copy.place}: {why(error)}") from None


def _take_place(copy: _Copy) -> None:
    try:
        draft(copy.place).rename(copy.place)
        sync_directory(copy.place.parent)
    except OSError as error:
        raise CopyError(f"can't copy to {copy.place}: {why(error)}") from None


def _make_directory(path: Path) -> None:
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(_FOR_US_ALONE)
        sync_directory(each.parent)
