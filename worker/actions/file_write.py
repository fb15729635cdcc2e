"""The action `file.write`: put a file in place atomically."""

import stat
from contextlib import suppress
from pathlib import Path

from contract.action import FileWrite
from worker.actions.action import ActionResult, Context, failure
from worker.actions.draft import draft, sync_directory, write_draft
from worker.root import Root, UnknownNameError


def write_file(arguments: FileWrite, context: Context) -> ActionResult:
    """Write a draft beside the file and rename it: a link at the path is replaced, not followed."""
    path, root = context.root.locate(arguments.path), context.root
    beside = draft(path)
    try:
        owner = _ids(arguments, path, root)
        write_draft(beside, arguments.content.encode(), owner, int(arguments.mode, 8))
        beside.rename(path)
        sync_directory(path.parent)
    except UnknownNameError as error:
        return ActionResult(ok=False, summary=str(error))
    except OSError as error:
        return failure("write", path, error)
    finally:
        with suppress(OSError):
            beside.unlink()
    return ActionResult(ok=True, summary=f"wrote {path}")


def _ids(arguments: FileWrite, path: Path, root: Root) -> tuple[int, int]:
    """Return the owner and group to set; who is not named stays who it was, -1 for a new file."""
    user = group = -1
    with suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(None, "there is a directory")
        if stat.S_ISREG(found.st_mode):
            user, group = found.st_uid, found.st_gid
    return (
        user if arguments.owner is None else root.user_id(arguments.owner),
        group if arguments.group is None else root.group_id(arguments.group),
    )
