"""A file's draft: written beside its place in full, before it takes that place by a rename."""

import os
from contextlib import suppress
from pathlib import Path

_MOST_LINKS = 40  # as the kernel's own limit


def draft(path: Path) -> Path:
    """Return where a file is written before it takes its place: a fixed name, so it is found."""
    return path.with_name(f".{path.name}.denrei")


def write_draft(path: Path, content: bytes, owner: tuple[int, int], mode: int) -> None:
    """Write it so that it survives a power loss; an owner or group of -1 stays as it is."""
    with suppress(FileNotFoundError):
        path.unlink()  # of an earlier attempt that was killed
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fchown(out.fileno(), *owner)
        os.fchmod(out.fileno(), mode)  # last: a change of owner clears bits
        os.fsync(out.fileno())


def sync_directory(path: Path) -> None:
    """Make the new names in it survive a power loss."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def follow(path: Path) -> tuple[Path, list[Path]]:
    """Return the file that an absolute path leads to, there or not, and every link on the way."""
    place, waiting = Path(path.anchor), list(path.parts[1:])
    links: list[Path] = []
    while waiting and len(links) < _MOST_LINKS:
        part = waiting.pop(0)
        here = place.parent if part == ".." else place / part
        if target := _target(here):
            links.append(here)
            place = Path(target.anchor) if target.is_absolute() else place
            waiting[:0] = target.parts[1:] if target.is_absolute() else target.parts
        else:
            place = here
    return place.joinpath(*waiting), links


def _target(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:  # no link
        return None
