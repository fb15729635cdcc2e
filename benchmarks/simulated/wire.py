"""Many hosts' ends of the wire in one process: a connection and a BRPOP for each, as hosts have it.

Each connection holds one blocking `BRPOP` on the host's own queue. A real courier asks anew every
second; here it waits for longer, so that thousands in a few processes leave the machine to those
that are measured. What the hosts say goes out in pipelines.
"""

import base64
import json
import selectors
import socket
from collections.abc import Iterator, Sequence

import redis

from benchmarks.resp import command
from benchmarks.simulated.message import travelling
from contract.names import REPORTS_QUEUE, host_queue

_BLOCK_S = 60
_CHUNK = 1 << 20
_MAX_PIPELINE = 200


class Line:
    """One host's connection."""

    __slots__ = ("_buffer", "_command", "_socket", "number")

    def __init__(self, number: int, host: str, port: int) -> None:
        """Connect; the first question is asked at once."""
        self.number = number
        self._command = command("BRPOP", host_queue(host), str(_BLOCK_S))
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._socket.sendall(self._command)

    def fileno(self) -> int:
        """Return what a selector waits for."""
        return self._socket.fileno()

    def read(self) -> bytes | None:
        """Return a message if a whole one has come, and ask for the next."""
        if not (chunk := self._socket.recv(_CHUNK)):
            raise ConnectionError("Redis closed the connection")
        self._buffer += chunk
        found = reply(self._buffer)
        if found is None:
            return None
        self._buffer = b""
        self._socket.sendall(self._command)
        return found or None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def reply(data: bytes) -> bytes | None:
    """Return the value of a BRPOP's answer, nothing for a time-out, None if more is to come."""
    if not data.endswith(b"\r\n"):
        return None
    if data == b"*-1\r\n":
        return b""
    # *2, $length, queue, $length, value
    parts = data.split(b"\r\n", 4)
    if len(parts) < 5:  # noqa: PLR2004 - see above
        return None
    value = parts[4][:-2]
    return value if len(value) == int(parts[3][1:]) else None


class Wire:
    """All connections of one process."""

    def __init__(self, port: int, hosts: Sequence[str]) -> None:
        """Connect every host."""
        self._client = redis.Redis(port=port)
        self._selector = selectors.EpollSelector()
        self._lines = [Line(number, host, port) for number, host in enumerate(hosts)]
        for line in self._lines:
            self._selector.register(line, selectors.EVENT_READ, line)
        self._outgoing: list[str] = []

    def receive(self, within: float) -> Iterator[tuple[int, str, str]]:
        """Wait, and yield which host got which task with what text."""
        for key, _ in self._selector.select(within):
            line: Line = key.data
            if message := line.read():
                task, text = _opened(message)
                yield line.number, task, text

    def send(self, task: str, text: bytes) -> None:
        """Put something into the reports queue, with the next pipeline."""
        self._outgoing.append(json.dumps(travelling(task, text.decode(), REPORTS_QUEUE)))
        if len(self._outgoing) >= _MAX_PIPELINE:
            self.flush()

    def flush(self) -> None:
        """Send what was collected."""
        if self._outgoing:
            self._client.lpush(REPORTS_QUEUE, *self._outgoing)
            self._outgoing.clear()

    def close(self) -> None:
        """Hang up everywhere."""
        for line in self._lines:
            line.close()
        self._client.close()


def _opened(message: bytes) -> tuple[str, str]:
    document = json.loads(message)
    ((text,), *_) = json.loads(base64.b64decode(document["body"]))
    return document["headers"]["task"], text
