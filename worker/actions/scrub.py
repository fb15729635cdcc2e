"""The paths on which an action may leave a secret behind, and their removal."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from contract.action import Command, FileCopy, FileWrite
from worker.actions.action import why
from worker.actions.draft import draft
from worker.root import Root
from worker.safe_path import find


def scrub_paths(arguments: msgspec.Struct, root: Root) -> list[Path]:
    """Return what must be gone after an action, whatever became of it.

    A recovery removes these first of all: the one that put them there may have been killed.
    """
    match arguments:
        case Command():
            texts = [*(file.path for file in arguments.files), *arguments.scrub]
            return [root.locate(text) for text in texts]
        case FileCopy():
            return [draft(_end(root.locate(file.to))) for file in arguments.files]
        case FileWrite():
            return [draft(root.locate(arguments.path))]
        case _:
            return []


def scrub(paths: Iterable[Path]) -> list[str]:
    """Remove the paths; return a sentence for each one that could not be removed."""
    problems = []
    for path in paths:
        try:
            _unlink(path)
        except OSError as error:
            problems.append(f"can't remove {path}: {why(error)}")
    return problems


def _unlink(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError), find(path, follow=False) as place:
        place.unlink()


def _end(path: Path) -> Path:
    """Return where the links of a path end; the path itself if they lead nowhere."""
    try:
        with find(path) as place:
            return place.path
    except OSError:
        return path
