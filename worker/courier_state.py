"""What the courier last said of itself: a small file for `denrei-worker status`.

Never believed by the executor, and never more than the word of a process that may be gone.
"""

import contextlib
import os
from pathlib import Path
from typing import Annotated

import msgspec

from contract.instant import now_ms
from worker.proc import boot_clock, boot_id

AGAIN_S = 20.0  # how often the courier says the same again

_MAX_BYTES = 4096
_MAX_ERROR = 300  # characters

_Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]


class CourierState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One word of the courier's about itself. Moments are ms since 1970, by the host's clock."""

    pid: int
    boot_id: Annotated[str, msgspec.Meta(max_length=40)]
    said_at: _Moment
    said_s: float  # the same in seconds since that boot: nobody can set that clock
    connected: bool | None = None  # None: not tried yet
    trouble: Annotated[str, msgspec.Meta(max_length=_MAX_ERROR)] = ""
    keepalive_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = (
        15.0  # how often it sends itself a word
    )
    heard_at: _Moment | None = None  # when a word of its own last came back through the broker
    heard_s: float | None = None  # the same in seconds since that boot


class StateFile:
    """Where the courier writes its word: when something changed, or now and then."""

    def __init__(self, path: Path, keepalive_s: float) -> None:
        """Write to `path`, whose directory is the courier's own."""
        self._path = path
        self._said = CourierState(
            pid=os.getpid(),
            boot_id=boot_id(),
            said_at=0,
            said_s=-AGAIN_S,
            keepalive_s=keepalive_s,
        )

    def say(
        self, *, connected: bool | None, trouble: str, heard_at: int | None, heard_s: float | None
    ) -> None:
        """Say how the courier fares. Raises OSError."""
        word = msgspec.structs.replace(
            self._said,
            connected=connected,
            trouble=trouble[:_MAX_ERROR],
            heard_at=heard_at,
            heard_s=heard_s,
        )
        now_s = boot_clock()
        if word == self._said and now_s - word.said_s < AGAIN_S:
            return
        self._said = msgspec.structs.replace(word, said_at=now_ms(), said_s=now_s)
        save_state(self._path, self._said)


def save_state(path: Path, state: CourierState) -> None:
    """Put the word down whole or not at all. Raises OSError.

    Not synced to the disk: after a power loss nothing in it would be true anyhow.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(msgspec.json.encode(state))
    temporary.rename(path)


def load_state(path: Path) -> CourierState | None:
    """Return the courier's last word; None if it has said none that can be read."""
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeError, RecursionError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=CourierState)
    return None
