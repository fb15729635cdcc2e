"""Processes that pass for daemons: the name and arguments that the kernel tells, and where."""

import os
from collections.abc import Callable
from pathlib import Path


def posing_as(program: str, directory: Path) -> Callable[[], None]:
    """Return what a process does first to pass for a program of the host in a directory."""

    def begin() -> None:
        os.chdir(directory)
        Path("/proc/self/comm").write_text(program)
        _write_arguments(program)

    return begin


def _write_arguments(program: str) -> None:
    """Write over the arguments of the tests' own process, as daemons do that show a title."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end in proc_pid_stat(5)
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(start)
        memory.write(program.encode()[: end - start].ljust(end - start, b"\0"))
