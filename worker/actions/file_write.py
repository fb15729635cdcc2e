"""The action `file.write`: put a file in place atomically."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from contract.action import FileWrite
from worker.actions.action import ActionResult, Context, failure
from worker.actions.scrub import draft
from worker.root import Root, UnknownNameError


def write_file(arguments: FileWrite, context: Context) -> ActionResult:
    """Write a draft beside the file and rename it: a link at the path is replaced, not followed."""
    path, root = context.root.locate(arguments.path), context.root
    beside = root.locate(draft(arguments.path))
    try:
        owner = _ids(arguments, path, root)
        _write_draft(beside, arguments, owner)
        beside.rename(path)
        _sync_directory(path.parent)
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


def _write_draft(path: Path, arguments: FileWrite, owner: tuple[int, int]) -> None:
    with suppress(FileNotFoundError):
        path.unlink()  # of an earlier attempt that was killed
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as out:
        out.write(arguments.content.encode())
        out.flush()
        os.fchown(out.fileno(), *owner)
        os.fchmod(out.fileno(), int(arguments.mode, 8))  # last: a change of owner clears bits
        os.fsync(out.fileno())


def _sync_directory(path: Path) -> None:
    """Make the new name survive a power loss."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
