"""The observation `http`: what a web server answers to one request."""

import io
import re
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from contract.duration import parse_duration
from contract.observation import Http
from worker.observations.connection import (
    Address,
    Connection,
    UnreachableError,
    connect,
    problem_of,
)
from worker.observations.observation import (
    Fields,
    ObservationError,
    compiled,
    found_in,
    looking_at,
)
from worker.proc import boot_clock
from worker.root import Root

_LONGEST_BODY = 64 * 1024
_HTTPS_PORT, _HTTP_PORT = 443, 80
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_LINE = re.compile(r"[\x20-\x7e\t]*")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads."""

    address: Address
    host: str  # as the header Host has it
    path: str
    is_secure: bool


class _Stream(io.RawIOBase):
    """Reads from a connection until its deadline, however slowly the other side writes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._connection.receive(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Be to HTTPResponse what a socket is."""
        return io.BufferedReader(self)


def observe_http(arguments: Http, root: Root) -> Fields:
    """Ask once. That nobody answers, or not as asked for, is knowledge."""
    target = _target(arguments.url)
    request = _request(arguments, target)
    wanted = compiled(arguments.match) if arguments.match is not None else None
    context = _context(arguments.ca_file, root) if target.is_secure else None
    begun = boot_clock()
    deadline = begun + parse_duration(arguments.timeout).total_seconds()
    try:
        with connect(target.address, root, deadline) as connection:
            if context:
                connection.secure(context, target.address.host)
            connection.send(request)
            status, body = _answer(connection, arguments.method)
    except UnreachableError as error:
        return {"answered": False, "error": str(error)}
    return {
        "answered": True,
        "error": "",
        "status": status,
        "body": body,
        **found_in(wanted.search(body) if wanted else None),
        "milliseconds": round((boot_clock() - begun) * 1000),
    }


def _target(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ObservationError(f"{url!r} is no URL: {error}") from None
    if not _VISIBLE.fullmatch(url) or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ObservationError(f"{url!r} is no URL such as https://host:port/path")
    if parts.username is not None:
        raise ObservationError("a URL may hold no user name and no password here")
    is_secure = parts.scheme == "https"
    address = Address(parts.hostname, port or (_HTTPS_PORT if is_secure else _HTTP_PORT))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(address, parts.netloc, path, is_secure)


def _request(arguments: Http, target: _Target) -> bytes:
    headers = {
        "Host": target.host,
        "User-Agent": "denrei-worker",
        "Accept": "*/*",
        **arguments.headers,
        "Connection": "close",
    }
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _LINE.fullmatch(value):
            raise ObservationError(f"{name!r} is no header of HTTP, or its value is not one line")
    lines = [f"{arguments.method} {target.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _context(ca_file: str | None, root: Root) -> ssl.SSLContext:
    path = root.locate(ca_file) if ca_file else None
    with looking_at(path or "the system's certificates"):
        try:
            context = ssl.create_default_context(cafile=path)
        except ssl.SSLError:
            raise ObservationError(f"{path} holds no certificates") from None
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # on since Python 3.13; many are not so formal
    return context


def _answer(connection: Connection, method: str) -> tuple[int, str]:
    response = HTTPResponse(_Stream(connection), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read(_LONGEST_BODY)
    except HTTPException as error:
        said = type(error).__name__
        raise UnreachableError(f"{connection.address}: answered no HTTP ({said})") from None
    except OSError as error:
        raise UnreachableError(f"{connection.address}: {problem_of(error)}") from None
    return response.status, body.decode(errors="backslashreplace")
