"""The observation `http`: what a web server answers to one request."""

import io
import ssl
from http.client import HTTPException, HTTPResponse

from contract.duration import parse_duration
from contract.probe import Http
from contract.request import Url, check_headers, parse_url
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
    found_fields,
    looking_at,
)
from worker.proc import boot_clock
from worker.root import Root

_LONGEST_BODY = 64 * 1024


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
    url = parse_url(arguments.url)
    request = _request(arguments, url)
    wanted = compiled(arguments.match) if arguments.match is not None else None
    context = _context(arguments.ca_file, root) if url.is_secure else None
    begun = boot_clock()
    deadline = begun + parse_duration(arguments.timeout).total_seconds()
    try:
        with connect(Address(url.host, url.port), root, deadline) as connection:
            if context:
                connection.secure(context, url.host)
            connection.send(request)
            status, body = _answer(connection, arguments.method)
    except UnreachableError as error:
        return {"answered": False, "error": str(error)}
    return {
        "answered": True,
        "error": "",
        "status": status,
        "body": body,
        **found_fields(wanted.find(body) if wanted else None),
        "milliseconds": round((boot_clock() - begun) * 1000),
    }


def _request(arguments: Http, url: Url) -> bytes:
    check_headers(arguments.headers)
    own = {"Host": url.authority, "User-Agent": "denrei-worker", "Accept": "*/*"}
    wanted = [*own.items(), *arguments.headers.items(), ("Connection", "close")]
    headers = {name.lower(): f"{name}: {value}" for name, value in wanted}  # each but once
    return "\r\n".join(
        [f"{arguments.method} {url.path} HTTP/1.1", *headers.values(), "", ""]
    ).encode()


def _context(ca_file: str | None, root: Root) -> ssl.SSLContext:
    path = root.locate(ca_file) if ca_file else None
    with looking_at(path or "the system's certificates"):
        try:
            # Not ssl.create_default_context: that writes keys to a file if SSLKEYLOGFILE says so.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if path:
                context.load_verify_locations(path)
            else:
                context.load_default_certs()
        except ssl.SSLError:
            raise ObservationError(f"{path} holds no certificates") from None
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
