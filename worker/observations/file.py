"""The observation `file`: what a path is, without following it, and a line in it."""

import hashlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from contract.probe import File
from worker.observations.content import open_regular, read_content
from worker.observations.observation import (
    Fields,
    ObservationError,
    compiled,
    found_fields,
    looking_at,
)
from worker.root import Root
from worker.safe_path import find

_LARGEST_HASHED = 16 * 1024 * 1024
_LARGEST_SEARCHED = 1024 * 1024


def observe_file(arguments: File, root: Root) -> Fields:
    """Look at a path itself: the last link is never followed."""
    path = root.locate(arguments.path)
    with looking_at(path):
        try:
            with find(path, follow=False) as place:
                found = place.stat()
        except (FileNotFoundError, NotADirectoryError):
            return {"exists": False}
    return {
        "exists": True,
        "kind": _kind(found.st_mode),
        "size": found.st_size,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": root.user_name(found.st_uid),
        "group": root.group_name(found.st_gid),
        "mtime": datetime.fromtimestamp(found.st_mtime, tz=UTC),
        "sha256": _digest(path, found),
        **_search(path, found, arguments.match),
    }


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "link" if stat.S_ISLNK(mode) else "other"


def _digest(path: Path, found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_HASHED:
        return ""
    file = open_regular(path, follow=False)
    if file is None:
        raise ObservationError(f"{path} vanished while it was read")
    with file, looking_at(path):
        return hashlib.file_digest(file, "sha256").hexdigest()


def _search(path: Path, found: os.stat_result, pattern: str | None) -> Fields:
    if pattern is None:
        return found_fields(None)
    if not stat.S_ISREG(found.st_mode):
        raise ObservationError(f"{path} is no regular file: there are no lines to match")
    content = read_content(path, _LARGEST_SEARCHED, follow=False) or b""
    wanted = compiled(pattern)
    for line in content.decode(errors="backslashreplace").split("\n"):
        matched = wanted.find(line.removesuffix("\r"))
        if matched is not None:
            return found_fields(matched)
    return found_fields(None)
