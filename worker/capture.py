"""A program's output, bounded: its beginning, its end, its length and its digest.

Secrets are taken out as it comes in, before anything is cut: half of one would not be found later.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from worker.redaction import RedactedStream

SIDE_BYTES = 64 * 1024

_OF_NOTHING = hashlib.sha256()

Bytes = bytes  # the class below has a field of this name


class Captured(msgspec.Struct, frozen=True):
    """What is kept of one stream of a program."""

    head: Bytes = b""
    tail: Bytes = b""  # what follows the head, or the last part of it
    bytes: int = 0  # of the whole stream, as the program wrote it
    left_out: int = 0  # between head and tail
    sha256: str = _OF_NOTHING.hexdigest()  # of the whole stream, secrets included

    @property
    def text(self) -> str:
        """The output as text; bytes that are no UTF-8 are written in hexadecimal."""
        gap = f"\n[... {self.left_out} bytes left out ...]\n".encode() if self.left_out else b""
        return (self.head + gap + self.tail).decode(errors="backslashreplace")

    def discarded(self) -> "Captured":
        """Return this without anything that was said: only how much it was."""
        return Captured(bytes=self.bytes, left_out=self.bytes, sha256="")


class Capture:
    """Takes in a stream of any length and keeps what fits of it, without secrets."""

    def __init__(self, forms: Iterable[bytes] = ()) -> None:
        """Take out these forms of secrets."""
        self._stream = RedactedStream(forms)
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._left_out = 0
        self._digest = _OF_NOTHING

    def add(self, chunk: bytes) -> None:
        if not self._size:  # most programs say nothing
            self._digest = hashlib.sha256()
        self._size += len(chunk)
        self._digest.update(chunk)
        self._keep(self._stream.add(chunk))

    def captured(self) -> Captured:
        self._keep(self._stream.end())
        head, tail = bytes(self._head), bytes(self._tail)
        return Captured(head, tail, self._size, self._left_out, self._digest.hexdigest())

    def _keep(self, chunk: bytes) -> None:
        room = SIDE_BYTES - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        self._left_out += max(len(self._tail) - SIDE_BYTES, 0)
        del self._tail[:-SIDE_BYTES]
