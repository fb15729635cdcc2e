"""One at a time: tests that run real daemons, and those that look at all that runs here."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other such test of this user is at work, in whatever process."""
    path = Path(tempfile.gettempdir(), f"denrei-tests-daemons-{os.getuid()}.lock")
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
