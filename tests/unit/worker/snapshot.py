"""All that a directory tree is, down to the nanosecond of each file's last change."""

import hashlib
import stat
from pathlib import Path

Snapshot = dict[str, tuple[object, ...]]


def snapshot(root: Path) -> Snapshot:
    """Return every path with its kind, owner, size, content and times; not when it was read."""
    paths = [root, *sorted(root.rglob("*"))]
    return {str(path.relative_to(root)): _state(path) for path in paths}


def _state(path: Path) -> tuple[object, ...]:
    found = path.lstat()
    content = ""
    if stat.S_ISREG(found.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    elif stat.S_ISLNK(found.st_mode):
        content = str(path.readlink())
    identity = (found.st_ino, found.st_mode, found.st_uid, found.st_gid, found.st_nlink)
    return (*identity, found.st_size, found.st_mtime_ns, found.st_ctime_ns, content)
