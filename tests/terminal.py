"""A terminal for a program to ask at, and somebody who answers."""

import fcntl
import os
import pty
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Conversation(NamedTuple):
    """How a program exited, and all that its terminal showed."""

    code: int
    shown: str


def converse(
    program: Sequence[str | Path], environment: Mapping[str, str], *answers: tuple[str, str]
) -> Conversation:
    """Run a program at a terminal of its own; give each answer when its question is shown."""
    master, inside = pty.openpty()
    with subprocess.Popen(
        program,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread runs here
        env={**os.environ, **environment},
    ) as process:
        os.close(inside)
        shown, rest = "", list(answers)
        while part := _read(master):
            shown += part
            if rest and shown.endswith(rest[0][0]):
                os.write(master, f"{rest.pop(0)[1]}\n".encode())
        code = process.wait(20)
    os.close(master)
    assert rest == [], f"never asked for {rest[0][0]!r}: {shown!r}"
    return Conversation(code, shown)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read(master: int) -> str:
    try:
        return os.read(master, 10_000).decode()
    except OSError:  # nobody holds the other end any more
        return ""
