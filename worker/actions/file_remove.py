"""The action `file.remove`: remove a file or a link, never a directory."""

import stat

from contract.action import FileRemove
from worker.actions.action import ActionResult, Context, failure
from worker.safe_path import find


def remove_file(arguments: FileRemove, context: Context) -> ActionResult:
    """Remove what the path names; when nothing is there, that is what was wanted."""
    path = context.root.locate(arguments.path)
    try:
        with find(path, follow=False) as place:
            if stat.S_ISDIR(place.stat().st_mode):
                return ActionResult(ok=False, summary=f"can't remove {path}: it is a directory")
            place.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return ActionResult(ok=True, summary=f"{path} was not there")
    except OSError as error:
        return failure("remove", path, error)
    return ActionResult(ok=True, summary=f"removed {path}")
