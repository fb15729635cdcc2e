"""The action `file.write`: put a file in place atomically."""

import stat
from contextlib import suppress

from contract.action import FileWrite
from worker.actions.action import ActionResult, Context, failure
from worker.actions.draft import drop_draft, take_place, write_draft
from worker.root import Root, UnknownNameError
from worker.safe_path import find
from worker.spot import Spot


def write_file(arguments: FileWrite, context: Context) -> ActionResult:
    """Write a draft beside the file and rename it: a link at the path is replaced, not followed."""
    path, root = context.root.locate(arguments.path), context.root
    try:
        with find(path, follow=False) as place:
            _write(arguments, place, root)
    except UnknownNameError as error:
        return ActionResult(ok=False, summary=str(error))
    except OSError as error:
        return failure("write", path, error)
    return ActionResult(ok=True, summary=f"wrote {path}")


def _write(arguments: FileWrite, place: Spot, root: Root) -> None:
    try:
        owner = _ids(arguments, place, root)
        write_draft(place, arguments.content.encode(), owner, int(arguments.mode, 8))
        take_place(place)
    finally:
        with suppress(OSError):
            drop_draft(place)


def _ids(arguments: FileWrite, place: Spot, root: Root) -> tuple[int, int]:
    """Return the owner and group to set; who is not named stays who it was, -1 for a new file."""
    user = group = -1
    with suppress(FileNotFoundError):
        found = place.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(None, "there is a directory")
        if stat.S_ISREG(found.st_mode):
            user, group = found.st_uid, found.st_gid
    return (
        user if arguments.owner is None else root.user_id(arguments.owner),
        group if arguments.group is None else root.group_id(arguments.group),
    )
