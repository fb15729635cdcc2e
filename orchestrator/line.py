"""A line to another process of ours: whole words in both directions over one socket."""

import select
from socket import socket
from struct import Struct

from contract.closing import Closing

_LENGTH = Struct("!I")


class Line(Closing):
    """Sends and receives words. Raises OSError, TimeoutError among them, and EOFError."""

    def __init__(self, end: socket) -> None:
        """Speak over one end of a pair of sockets."""
        self._end = end
        self._in = end.makefile("rb")

    @property
    def has_word(self) -> bool:
        """Tell whether a word has begun to come in, or the other side is gone."""
        return bool(select.select([self._end], [], [], 0)[0])

    def send(self, word: bytes) -> None:
        """Send one word."""
        self._end.sendall(_LENGTH.pack(len(word)) + word)

    def receive(self) -> bytes:
        """Return the next word, when it is there."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return self._read(length)

    def _read(self, size: int) -> bytes:
        data = self._in.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def close(self) -> None:
        """Hang up."""
        self._in.close()
        self._end.close()
