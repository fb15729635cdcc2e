"""Real processes for tests: they live until their standard input ends, so none outlives us."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Signals 32 and 33: the C library has them for its threads; its posix_spawn leaves them ignored.
LIBRARYS_OWN = 0b11 << 31
WAITING = "read _"  # a shell's way to wait for the end of its input


@contextmanager
def child(*arguments: str) -> Iterator[int]:
    """Run a shell that waits, with further arguments in its command line; give its pid."""
    argv = ["/bin/sh", "-c", f"{WAITING}; :", *arguments]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        yield process.pid


@contextmanager
def children(count: int, *arguments: str) -> Iterator[list[int]]:
    """Run several of them, the first one being the oldest."""
    with ExitStack() as stack:
        yield [stack.enter_context(child(*arguments)) for _ in range(count)]


@contextmanager
def running_script(path: Path) -> Iterator[int]:
    """Put a waiting script at a path and run it; its path stands in its command line."""
    script(path, WAITING)
    with subprocess.Popen([path], stdin=subprocess.PIPE) as process:
        yield process.pid


def script(path: Path, text: str) -> Path:
    """Put an executable shell script at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
