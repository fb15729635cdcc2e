"""A connection to a port, made and read within one deadline."""

import re
import socket
import ssl
from dataclasses import dataclass
from typing import Self

from worker.observations.observation import ObservationError, reason
from worker.proc import boot_clock
from worker.root import Root

_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class UnreachableError(Exception):
    """Nobody answers there as they should; the text says why."""


class Connection:
    """An open connection; whatever is done on it ends at the deadline."""

    def __init__(self, address: Address, socket_: socket.socket, deadline: float) -> None:
        """Keep to a deadline on the boot clock."""
        self.address = address
        self.deadline = deadline
        self._socket = socket_

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it. Raises UnreachableError."""
        try:
            self._socket.settimeout(self.time_left())
            self._socket.sendall(data)
        except OSError as error:
            raise UnreachableError(f"{self.address}: {problem_of(error)}") from None

    def receive(self, most: int) -> bytes:
        """Return some bytes; none at the end. Raises UnreachableError."""
        try:
            self._socket.settimeout(self.time_left())
            return self._socket.recv(most)
        except OSError as error:
            raise UnreachableError(f"{self.address}: {problem_of(error)}") from None

    def secure(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLSocket:
        """Go on in TLS, and return its socket. Raises UnreachableError."""
        try:
            server_name.encode("idna")  # else ssl would, and lose the socket where it can't
            self._socket.settimeout(self.time_left())
            self._socket = context.wrap_socket(self._socket, server_hostname=server_name)
        except OSError as error:
            raise UnreachableError(f"{self.address}: {problem_of(error)}") from None
        except ValueError:  # of which what is wrong with an international name is one kind
            raise ObservationError(f"{server_name!r} is no name to ask a server for") from None
        return self._socket

    def time_left(self) -> float:
        """Return the seconds until the deadline. Raises UnreachableError when it is over."""
        return _left(self.deadline, self.address)


def parse_address(text: str, port: int) -> Address:
    """Read `host` or `host:port`. Raises ObservationError."""
    found = _ADDRESS.fullmatch(text)
    if found and int(found["port"] or port) <= _LAST_PORT:
        return Address(found["v6"] or found["host"], int(found["port"] or port))
    if text.count(":") > 1:
        return Address(text, port)  # an IPv6 address without brackets
    raise ObservationError(f"{text!r} is neither a host nor host:port")


def connect(address: Address, root: Root, deadline: float) -> Connection:
    """Connect to the first of a host's addresses that accepts. Raises UnreachableError."""
    try:
        found = root.resolve(address.host)
    except (OSError, UnicodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "no valid name"
        raise UnreachableError(f"{address.host}: {why}") from None
    problem = "no address"
    for host in found:
        try:
            made = socket.create_connection((host, address.port), _left(deadline, address))
        except OSError as error:
            problem = problem_of(error)
        else:
            return Connection(address, made, deadline)
    raise UnreachableError(f"{address}: {problem}")


def problem_of(error: OSError) -> str:
    """Return what went wrong, in a few words."""
    match error:
        case TimeoutError():
            return "timed out"
        case ssl.SSLCertVerificationError():
            return f"the certificate is not trusted: {error.verify_message}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "hung up during the TLS handshake"
        case ssl.SSLError():
            return f"no TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
        case _:
            return reason(error)


def _left(deadline: float, address: Address) -> float:
    left = deadline - boot_clock()
    if left <= 0:
        raise UnreachableError(f"{address}: timed out")
    return left
