"""The observation `tcp`: whether something accepts connections."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from contract.duration import parse_duration
from contract.probe import Tcp
from worker.observations.connection import (
    Address,
    Connection,
    UnreachableError,
    connect,
    parse_address,
)
from worker.observations.content import read_content
from worker.observations.observation import Fields, ObservationError
from worker.proc import boot_clock
from worker.root import Root

_PROXY_FILE_BYTES = 4096
_STATUS_BYTES = 4096
_PROXY_PORT = 80
_PROXY = re.compile(r"(?:http://)?(?:(?P<login>.*)@)?(?P<address>[^@/]+)/?")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_OK = 200


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


def observe_tcp(arguments: Tcp, root: Root) -> Fields:
    """Connect, and hang up. That nobody answers is knowledge, not an error."""
    target = parse_address(arguments.host, arguments.port)
    proxy = _proxy(arguments.proxy_file, root) if arguments.proxy_file else None
    begun = boot_clock()
    deadline = begun + parse_duration(arguments.timeout).total_seconds()
    try:
        with connect(proxy.address if proxy else target, root, deadline) as connection:
            if proxy:
                _ask(proxy, target, connection)
    except UnreachableError as error:
        return {"open": False, "error": str(error)}
    return {"open": True, "error": "", "milliseconds": round((boot_clock() - begun) * 1000)}


def _proxy(place: str, root: Root) -> Proxy | None:
    path = root.locate(place)
    line = (read_content(path, _PROXY_FILE_BYTES) or b"").decode(errors="replace").strip()
    if not line:
        return None
    try:
        if found := _PROXY.fullmatch(line):
            return Proxy(parse_address(found["address"], _PROXY_PORT), found["login"] or "")
    except ObservationError:
        pass
    # The line itself may hold a password: it is not repeated.
    raise ObservationError(f"{path} is not one line [http://][user:password@]host[:port]")


def _ask(proxy: Proxy, target: Address, connection: Connection) -> None:
    request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{proxy.authorization}\r\n"
    answer = b""
    try:
        connection.send(request.encode())
        while b"\n" not in answer and len(answer) < _STATUS_BYTES:
            if not (chunk := connection.receive(_STATUS_BYTES)):
                break
            answer += chunk
    except UnreachableError as error:
        raise UnreachableError(f"proxy {error}") from None
    status = _STATUS.match(answer)
    if not status or int(status[1]) != _OK:
        said = status[1].decode() if status else "no HTTP"
        raise UnreachableError(f"proxy {proxy.address} answered {said} for {target}")
