"""A TCP tunnel between two parties that can be made to lose, reset or refuse what goes through."""

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Self

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST, not by FIN


class Flow(Flag):
    """What a link carries on; the rest vanishes, and nobody is told."""

    NOTHING = 0
    REQUESTS = auto()
    ANSWERS = auto()
    BOTH = REQUESTS | ANSWERS


@dataclass(slots=True)
class _Link:
    """One connection: the client's half and ours to the server."""

    client: socket.socket
    server: socket.socket
    flow: Flow = field(default=Flow.BOTH)

    def run(self) -> None:
        """Carry on in both directions until both ends are through."""
        answers = threading.Thread(
            target=self._pump, args=(self.server, self.client, Flow.ANSWERS), daemon=True
        )
        answers.start()
        self._pump(self.client, self.server, Flow.REQUESTS)
        answers.join()
        self.client.close()
        self.server.close()

    def _pump(self, source: socket.socket, sink: socket.socket, flow: Flow) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if flow in self.flow:
                    sink.sendall(data)
        with suppress(OSError):
            if flow in self.flow:  # a lost link loses the farewell, too
                sink.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break it by a RST to both ends, if they are there still."""
        self.flow = Flow.NOTHING  # no orderly farewell before it
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the pump, which closes the socket


class Tunnel:
    """Listens at an address of its own and carries every connection on to a port of this machine.

    What was lost stays lost: a link that has once been made to swallow its bytes never works again,
    as behind a firewall that has forgotten the connection.
    """

    def __init__(self, target: int, address: str = "127.0.0.1") -> None:
        """Begin to listen at once."""
        self._target = target
        self._links: list[tuple[_Link, threading.Thread]] = []
        self._flow = Flow.BOTH
        self._listener: socket.socket | None = None
        self._address = (address, 0)
        self._listen()

    @property
    def url(self) -> str:
        """Where a Redis behind the tunnel is found."""
        return "redis://{}:{}/0".format(*self._address)

    @property
    def links(self) -> int:
        """Count the connections that are alive."""
        return sum(thread.is_alive() for _, thread in self._links)

    def lose(self, flow: Flow = Flow.NOTHING) -> None:
        """Let the present links carry on no more than `flow`; new links work."""
        for link, _ in self._links:
            link.flow = flow

    def partition(self) -> None:
        """Let present and new links carry nothing, until healed."""
        self._flow = Flow.NOTHING
        self.lose()

    def reset(self) -> None:
        """Break every present link by a RST to both ends."""
        while self._links:  # another one may come meanwhile
            link, thread = self._links.pop()
            link.reset()
            thread.join()

    def refuse(self) -> None:
        """Break every link and refuse new ones, until healed."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)  # close alone would not end the accept
            self._accepting.join()
            self._listener.close()
            self._listener = None
        self.reset()

    def heal(self) -> None:
        """Let new links work again."""
        self._flow = Flow.BOTH
        if self._listener is None:
            self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def _listen(self) -> None:
        self._listener = socket.create_server(self._address)
        self._address = self._listener.getsockname()[:2]
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        link = _Link(client, server, self._flow)
        thread = threading.Thread(target=link.run, daemon=True)
        thread.start()
        self._links.append((link, thread))
