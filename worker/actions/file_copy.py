"""The action `file.copy`: copy files that belong together, with their owner, group and mode.

All of them are read and written beside their places first; only then do they take these, one rename
after another. So whatever can fail does so while nothing has changed yet.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contract.action import CopiedFile, FileCopy
from worker.actions.action import ActionResult, Context, why
from worker.actions.draft import drop_draft, take_place, write_draft
from worker.observations.content import open_regular
from worker.observations.observation import ObservationError
from worker.root import Root
from worker.safe_path import find
from worker.spot import Spot

LARGEST = 16 * 1024 * 1024
_FOR_US_ALONE = 0o700


class CopyError(Exception):
    """A file can't be copied; the text says which one, and why."""


@dataclass(frozen=True, slots=True)
class _File:
    """What a file holds, whose it is, and who may read it."""

    content: bytes
    owner: tuple[int, int]
    mode: int


def copy_files(arguments: FileCopy, context: Context) -> ActionResult:
    """Copy them all, or none if one of them can't be read or written."""
    root, make = context.root, _FOR_US_ALONE if arguments.make_directory else None
    with ExitStack() as held:
        try:
            files = [_read(root.locate(file.path)) for file in arguments.files]
            places = [held.enter_context(_place(file, root, make)) for file in arguments.files]
            copies = _distinct(zip(places, files, strict=True))
            _copy(copies)
        except (CopyError, ObservationError) as error:
            return ActionResult(ok=False, summary=str(error))
    return ActionResult(
        ok=True, summary=f"copied to {', '.join(str(place) for place, _ in copies)}"
    )


def _copy(copies: list[tuple[Spot, _File]]) -> None:
    try:
        for place, file in copies:
            with _copying_to(place):
                write_draft(place, file.content, file.owner, file.mode)
        for place, _ in copies:
            with _copying_to(place):
                take_place(place)
    finally:
        for place, _ in copies:
            with suppress(OSError):
                drop_draft(place)


@contextmanager
def _copying_to(path: Path | Spot) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CopyError(f"can't copy to {path}: {why(error)}") from None


def _read(source: Path) -> _File:
    opened = open_regular(source)
    if opened is None:
        raise CopyError(f"can't copy {source}: it is not there")
    with opened:
        content, found = opened.read(LARGEST + 1), os.fstat(opened.fileno())
    if len(content) > LARGEST:
        raise CopyError(f"can't copy {source}: it is larger than {LARGEST // 1024**2} MiB")
    return _File(content, (found.st_uid, found.st_gid), stat.S_IMODE(found.st_mode))


def _place(file: CopiedFile, root: Root, make: int | None) -> Spot:
    """Open the directory of the file that a path leads to.

    A link counts only if it is ours, root's, or of who may write there anyhow: anybody else could
    lead the copy to where he may not write himself.
    """
    to = root.locate(file.to)
    with _copying_to(to):
        place = find(to, make=make)
        try:
            _check(place)
        except (OSError, CopyError):
            place.close()
            raise
    return place


def _check(place: Spot) -> None:
    place.check_writable()
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(place.stat().st_mode):
            raise CopyError(f"can't copy to {place}: it is no regular file")


def _distinct(copies: Iterable[tuple[Spot, _File]]) -> list[tuple[Spot, _File]]:
    """Return one copy for each place: a certificate and its key may stand in the same file."""
    distinct: dict[Path, tuple[Spot, _File]] = {}
    for place, file in copies:
        if distinct.setdefault(place.path, (place, file))[1] != file:
            raise CopyError(f"can't copy two different files to {place}")
    return list(distinct.values())
