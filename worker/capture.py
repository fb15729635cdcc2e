"""A program's output, bounded: its beginning, its end, its length and its digest."""

import hashlib

import msgspec

SIDE_BYTES = 64 * 1024

Bytes = bytes  # the class below has a field of this name


class Captured(msgspec.Struct, frozen=True):
    """What is kept of one stream of a program."""

    head: Bytes = b""
    tail: Bytes = b""  # what follows the head, or the last part of it
    bytes: int = 0  # of the whole stream
    sha256: str = hashlib.sha256().hexdigest()

    @property
    def is_whole(self) -> bool:
        return self.bytes == len(self.head) + len(self.tail)

    @property
    def text(self) -> str:
        """The output as text; bytes that are no UTF-8 are written in hexadecimal."""
        if self.is_whole:
            return (self.head + self.tail).decode(errors="backslashreplace")
        left_out = self.bytes - len(self.head) - len(self.tail)
        gap = f"\n[... {left_out} bytes left out ...]\n".encode()
        return (self.head + gap + self.tail).decode(errors="backslashreplace")


class Capture:
    """Takes in a stream of any length and keeps what fits."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._digest = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._digest.update(chunk)
        room = SIDE_BYTES - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        del self._tail[:-SIDE_BYTES]

    def captured(self) -> Captured:
        return Captured(bytes(self._head), bytes(self._tail), self._size, self._digest.hexdigest())
