"""A file's draft: written beside its place in full, before it takes that place by a rename."""

import os
from pathlib import Path

from worker.spot import Spot


def draft(path: Path) -> Path:
    """Return where a file is written before it takes its place: a fixed name, so it is found."""
    return path.with_name(_beside(path.name))


def write_draft(place: Spot, content: bytes, owner: tuple[int, int], mode: int) -> None:
    """Write it so that it survives a power loss; an owner or group of -1 stays as it is."""
    with (
        place.beside(_beside(place.name)) as beside,
        os.fdopen(beside.create(), "wb") as out,
    ):
        out.write(content)
        out.flush()
        os.fchown(out.fileno(), *owner)
        os.fchmod(out.fileno(), mode)  # last: a change of owner clears bits
        os.fsync(out.fileno())


def take_place(place: Spot) -> None:
    """Let the draft become the file, for good."""
    with place.beside(_beside(place.name)) as beside:
        beside.replace(place)


def drop_draft(place: Spot) -> None:
    """Remove what is left of a draft."""
    with place.beside(_beside(place.name)) as beside:
        beside.unlink()


def _beside(name: str) -> str:
    return f".{name}.denrei"
