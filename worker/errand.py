"""One command that a keeper is asked to run: what goes to the keeper, and how its word comes back.

launch ──────> read by the keeper, a file without a name
life   ──────> breaks when we want the command ended, or are gone
tell   ──────> takes the keeper's word, which we read from `report`
"""

import os
from typing import Self

import msgspec

from worker.launch import Launch
from worker.spawn import Ending


class Errand:
    """The descriptors that tie a command to its executor."""

    def __init__(self, launch: Launch) -> None:
        """Write the launch down. Raises OSError."""
        self.report, tell = os.pipe()
        life, self._alive = os.pipe()
        self.theirs = (_written(launch), life, tell)  # the keeper's
        self._open = {self.report, self._alive, *self.theirs}

    def hand_over(self) -> None:
        """Let go of what the keeper has by now: the report ends when the keeper lets go, too."""
        self._close(*self.theirs)

    def end_now(self) -> None:
        """Have the command ended."""
        self._close(self._alive)

    def answer(self) -> Ending | None:
        """Wait for the keeper's word; None if it is gone without one."""
        with open(self.report, "rb", closefd=False) as pipe:
            told = pipe.read()
        return msgspec.msgpack.decode(told, type=Ending) if told else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close(*self._open)

    def _close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            self._open.discard(descriptor)
            os.close(descriptor)


def _written(launch: Launch) -> int:
    file = os.memfd_create("launch")
    with open(file, "wb", closefd=False) as out:
        out.write(msgspec.msgpack.encode(launch))
    os.lseek(file, 0, os.SEEK_SET)
    return file
