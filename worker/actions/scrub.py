"""The paths on which an action may leave a secret behind, and their removal."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from contract.action import Command, FileWrite
from worker.actions.action import why
from worker.root import Root


def scrub_paths(arguments: msgspec.Struct) -> list[str]:
    """Return what must be gone after an action, whatever became of it.

    A recovery removes these first of all: the one that put them there may have been killed.
    """
    match arguments:
        case Command():
            return [*(file.path for file in arguments.files), *arguments.scrub]
        case FileWrite():
            return [draft(arguments.path)]
        case _:
            return []


def draft(path: str) -> str:
    """Return where a file is written before it takes its place: a fixed name, so it is found."""
    place = PurePosixPath(path)
    return str(place.with_name(f".{place.name}.denrei"))


def scrub(paths: Iterable[str], root: Root) -> list[str]:
    """Remove the paths; return a sentence for each one that could not be removed."""
    problems = []
    for path in paths:
        located = root.locate(path)
        try:
            _unlink(located)
        except OSError as error:
            problems.append(f"can't remove {located}: {why(error)}")
    return problems


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
