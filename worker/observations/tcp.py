"""The observation `tcp`: whether something accepts connections."""

import base64
import re
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote

from contract.duration import parse_duration
from contract.observation import Tcp
from worker.observations.content import read_content
from worker.observations.observation import Fields, ObservationError, reason
from worker.proc import boot_clock
from worker.root import Root

_PROXY_FILE_BYTES = 4096
_STATUS_BYTES = 4096
_PROXY_PORT = 80
_PROXY = re.compile(r"(?:http://)?(?:(?P<login>.*)@)?(?P<address>[^@/]+)/?")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_OK = 200
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; its login is shown nowhere."""

    address: Address
    login: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        if not self.login:
            return ""
        credentials = base64.b64encode(unquote(self.login).encode()).decode()
        return f"Proxy-Authorization: Basic {credentials}\r\n"


class _UnreachableError(Exception):
    """Nobody accepts connections there; the text says why."""


def observe_tcp(arguments: Tcp, root: Root) -> Fields:
    """Connect, and hang up. That nobody answers is knowledge, not an error."""
    target = _address(arguments.host, arguments.port)
    proxy = _proxy(arguments.proxy_file, root) if arguments.proxy_file else None
    begun = boot_clock()
    deadline = begun + parse_duration(arguments.timeout).total_seconds()
    try:
        with _connect(proxy.address if proxy else target, root, deadline) as connection:
            if proxy:
                _ask(proxy, target, connection, deadline)
    except _UnreachableError as error:
        return {"open": False, "error": str(error)}
    return {"open": True, "error": "", "milliseconds": round((boot_clock() - begun) * 1000)}


def _address(text: str, port: int) -> Address:
    found = _ADDRESS.fullmatch(text)
    if found and int(found["port"] or port) <= _LAST_PORT:
        return Address(found["v6"] or found["host"], int(found["port"] or port))
    if text.count(":") > 1:
        return Address(text, port)  # an IPv6 address without brackets
    raise ObservationError(f"{text!r} is neither a host nor host:port")


def _proxy(place: str, root: Root) -> Proxy | None:
    path = root.locate(place)
    line = (read_content(path, _PROXY_FILE_BYTES) or b"").decode(errors="replace").strip()
    if not line:
        return None
    if not (found := _PROXY.fullmatch(line)) or not _ADDRESS.fullmatch(found["address"]):
        # The line itself may hold a password: it is not repeated.
        raise ObservationError(f"{path} is not one line [http://][user:password@]host[:port]")
    return Proxy(_address(found["address"], _PROXY_PORT), found["login"] or "")


def _connect(address: Address, root: Root, deadline: float) -> socket.socket:
    try:
        found = root.resolve(address.host)
    except (OSError, UnicodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "no valid name"
        raise _UnreachableError(f"{address.host}: {why}") from None
    problem = "no address"
    for host in found:
        try:
            return socket.create_connection((host, address.port), _left(deadline, address))
        except OSError as error:
            problem = _problem(error)
    raise _UnreachableError(f"{address}: {problem}")


def _ask(proxy: Proxy, target: Address, connection: socket.socket, deadline: float) -> None:
    request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{proxy.authorization}\r\n"
    answer = b""
    try:
        connection.settimeout(_left(deadline, proxy.address))
        connection.sendall(request.encode())
        while b"\n" not in answer and len(answer) < _STATUS_BYTES:
            connection.settimeout(_left(deadline, proxy.address))
            if not (chunk := connection.recv(_STATUS_BYTES)):
                break
            answer += chunk
    except OSError as error:
        raise _UnreachableError(f"proxy {proxy.address}: {_problem(error)}") from None
    status = _STATUS.match(answer)
    if not status or int(status[1]) != _OK:
        said = status[1].decode() if status else "no HTTP"
        raise _UnreachableError(f"proxy {proxy.address} answered {said} for {target}")


def _problem(error: OSError) -> str:
    return "timed out" if isinstance(error, TimeoutError) else reason(error)


def _left(deadline: float, address: Address) -> float:
    left = deadline - boot_clock()
    if left <= 0:
        raise _UnreachableError(f"{address}: timed out")
    return left
