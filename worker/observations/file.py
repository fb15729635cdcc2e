"""The observation `file`: what a path is, without following it, and a line in it."""

import os
import stat
from datetime import UTC, datetime
from hashlib import sha256
from io import BufferedReader

from contract.observation import OBSERVATIONS
from contract.probe import File
from worker.observations.content import open_at, read_bounded
from worker.observations.observation import (
    Fields,
    ObservationError,
    compiled,
    found_fields,
    looking_at,
)
from worker.root import Root
from worker.safe_path import find
from worker.spot import Spot

_LARGEST_HASHED = 16 * 1024 * 1024
_LARGEST_SEARCHED = 1024 * 1024
_CHUNK = 64 * 1024

_ALL = frozenset(OBSERVATIONS["file"].fields)
_OF_LINES = frozenset({"matches", "matched"})
_OF_CONTENT = _OF_LINES | {"sha256"}


def observe_file(arguments: File, root: Root, asked: frozenset[str] = _ALL) -> Fields:
    """Look at a path itself: the last link is never followed.

    Who owns it, and what is in it, is found out only if it is asked for.
    """
    path = root.locate(arguments.path)
    with looking_at(path):
        try:
            with find(path, follow=False) as place:
                return _fields(place, arguments, root, asked)
        except (FileNotFoundError, NotADirectoryError):
            return {"exists": False}


def _fields(place: Spot, arguments: File, root: Root, asked: frozenset[str]) -> Fields:
    found = place.observed()
    fields: Fields = {
        "exists": True,
        "kind": _kind(found.st_mode),
        "size": found.st_size,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "mtime": datetime.fromtimestamp(found.st_mtime, tz=UTC),
    }
    if "owner" in asked:
        fields["owner"] = root.user_name(found.st_uid)
    if "group" in asked:
        fields["group"] = root.group_name(found.st_gid)
    if asked & _OF_CONTENT:
        fields |= _content(place, found, arguments.match, asked)
    return fields


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def _content(
    place: Spot, found: os.stat_result, pattern: str | None, asked: frozenset[str]
) -> Fields:
    """Return what is in it, all from one opening."""
    is_regular = stat.S_ISREG(found.st_mode)
    wanted = pattern if asked & _OF_LINES else None
    if wanted is not None and not is_regular:
        raise ObservationError(f"{place} is no regular file: there are no lines to match")
    is_hashed = "sha256" in asked and is_regular and found.st_size <= _LARGEST_HASHED
    if not is_hashed and wanted is None:
        return {"sha256": "", **found_fields(None)}
    with open_at(place) as file:
        digest = _digest(file) if is_hashed else ""
        file.seek(0)
        matched = None if wanted is None else _search(file, place, wanted)
    return {"sha256": digest, **found_fields(matched)}


def _digest(file: BufferedReader) -> str:
    # file_digest would take, and clear, a quarter of a megabyte for the smallest file.
    digest = sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _search(file: BufferedReader, place: Spot, pattern: str) -> str | None:
    """Return what is found in the first line that has it."""
    content = read_bounded(file, place, _LARGEST_SEARCHED)
    wanted = compiled(pattern)
    for line in content.decode(errors="backslashreplace").split("\n"):
        matched = wanted.find(line.removesuffix("\r"))
        if matched is not None:
            return matched
    return None
