"""HTTPS as the agent and its scripts speak it: names from ROOT/etc/hosts, TLS, perhaps a proxy."""

import base64
import datetime as dt
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.places import Places

_TIMEOUT = 10.0
_PROXY = re.compile(
    r"(?:(?P<scheme>https?)://)?(?:(?P<login>[^@/]+:[^@/]*)@)?(?P<host>[^:@/]+)(?::(?P<port>\d+))?/?"
)


class NameUnknownError(OSError):
    """The name is not in ROOT/etc/hosts; a lab host asks nobody else."""


class ProxyError(OSError):
    """The proxy is badly written, unknown, down or unwilling."""


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    reason: str
    body: bytes


@dataclass(frozen=True)
class Route:
    """How one host reaches the service: whose names, and through which proxy if any."""

    root: Path
    proxy: str = ""

    def connect(self, host: str, port: int) -> socket.socket:
        """Open the connection on which TLS then begins."""
        if not self.proxy:
            return socket.create_connection((resolve(self.root, host), port), _TIMEOUT)
        found = _PROXY.fullmatch(self.proxy)
        if found is None:
            raise ProxyError("the proxy setting is not [protocol://][user:password@]host[:port]")
        try:
            address = resolve(self.root, found["host"])
            raw = socket.create_connection((address, int(found["port"] or 1080)), _TIMEOUT)
        except OSError as error:
            raise ProxyError(f"the proxy {found['host']} cannot be reached: {error}") from error
        _tunnel(raw, f"{host}:{port}", found["login"])
        return raw


def _tunnel(raw: socket.socket, target: str, login: str | None) -> None:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if login:
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(login.encode()).decode())
    raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        byte = raw.recv(1)
        if not byte:
            break
        answer += byte
    if not re.match(rb"HTTP/1\.[01] 200", answer):
        raise ProxyError("the proxy refused to open the tunnel")


def resolve(root: Path, name: str) -> str:
    """Look the name up in the lab host's own hosts file."""
    if re.fullmatch(r"[\d.]+", name):
        return name
    for line in Places(root).hosts.read_text().splitlines():
        words = line.partition("#")[0].split()
        if name in words[1:]:
            return words[0]
    raise NameUnknownError(f"could not resolve host: {name}")


def context(root: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Make a TLS context that trusts the lab's authority; the pair is read now and kept."""
    made = ssl.create_default_context(cafile=str(Places(root).authority))
    if certificate is not None:
        made.load_cert_chain(certificate, key)
    return made


def post(
    route: Route, url: str, body: bytes, tls: ssl.SSLContext, headers: Mapping[str, str]
) -> Answer:
    """Send one request on a connection of its own."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    connection = http.client.HTTPConnection(host, port)
    raw = route.connect(host, port)
    try:
        connection.sock = tls.wrap_socket(raw, server_hostname=host)
        connection.request("POST", parts.path, body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.reason, response.read())
    finally:
        raw.close()
        connection.close()


def date_header(skew: int) -> str:
    """Tell the time as a host whose clock is wrong by `skew` seconds tells it."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=skew)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
