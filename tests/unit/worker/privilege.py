"""Being an ordinary user for a while: root may read everything, and would see no refusal."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def forbidden(directory: Path) -> Iterator[None]:
    """Make what is in a directory unreadable to us, whoever we are."""
    us = os.geteuid()
    directory.chmod(0o000)
    if us == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(us)
        directory.chmod(0o700)
