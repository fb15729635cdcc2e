"""The content of regular files, bounded, and without ever waiting for a FIFO or a device."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from worker.observations.observation import ObservationError, looking_at
from worker.safe_path import find
from worker.spot import Spot


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader | None:
    """Open a regular file, or return None when nothing is there.

    Links are root's, ours, or of whose file it is. Raises ObservationError for anything else.
    """
    with looking_at(path):
        try:
            with find(path, follow=follow) as place:
                return open_at(place)
        except (FileNotFoundError, NotADirectoryError):
            return None


def open_at(place: Spot) -> BufferedReader:
    """Open the regular file at a place. Raises OSError; ObservationError for anything else."""
    try:
        file = place.open(os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise ObservationError(f"{place} is no regular file") from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise ObservationError(f"{place} is no regular file")
    return os.fdopen(file, "rb")


def read_content(path: Path, limit: int, *, follow: bool = True) -> bytes | None:
    """Return a regular file's content, or None when nothing is there.

    Raises ObservationError, also when the file is larger than the limit.
    """
    file = open_regular(path, follow=follow)
    if file is None:
        return None
    with file, looking_at(path):
        return read_bounded(file, path, limit)


def read_bounded(file: BufferedReader, path: Path | Spot, limit: int) -> bytes:
    """Return all that a file holds. Raises OSError; ObservationError if that is too much."""
    content = file.read(limit + 1)
    if len(content) > limit:
        raise ObservationError(f"{path} is larger than {limit // 1024} KiB")
    return content
