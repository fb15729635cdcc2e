"""Processes that pass for daemons: the name that the kernel tells, and where they run."""

import os
from collections.abc import Callable
from pathlib import Path


def posing_as(program: str, directory: Path) -> Callable[[], None]:
    """Return what a process does first to pass for a program of the host in a directory."""

    def begin() -> None:
        os.chdir(directory)
        Path("/proc/self/comm").write_text(program)

    return begin
