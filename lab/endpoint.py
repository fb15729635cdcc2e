"""The service side: a TLS endpoint that authenticates agents by certificate, or by shared key.

After oms-agent.md section 1: onboarding is signed with the workspace's key and registers the
certificate that it carries; a renewal is authenticated by the OLD certificate and replaces it; an
upload with a replaced certificate gets 403 while a topology request with the new one gets 200.

TLS proves possession of the client's key, but Python's ssl can neither ask for a certificate
without verifying it nor be given a verify callback. So every certificate ever registered is trusted
as an end in itself, replaced and expired ones too; the handshake succeeds, and whether
the certificate still counts is then answered in HTTP. One never registered fails the handshake.
"""

import base64
import binascii
import contextlib
import datetime as dt
import hmac
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509

from lab import message
from lab.registry import Registry, fingerprint
from lab.request_log import Request, RequestLog

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for
_SKEW = dt.timedelta(minutes=15)
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Asked:
    """One request, as far as a verdict needs it."""

    workspace: str
    host: str
    body: bytes
    date: str
    hash: str
    authorization: str
    certificate: bytes | None


@dataclass(frozen=True)
class Verdict:
    """The answer, and which agent it concerns."""

    status: int
    reason: str = ""
    guid: str = ""
    body: bytes = b""


class Service:
    """What the cloud decides about each kind of request."""

    def __init__(self, registry: Registry, context: ssl.SSLContext) -> None:
        self._registry = registry
        self._context = context
        for der in registry.certificates():
            self._context.load_verify_locations(cadata=der)
        self.routes: dict[str, Callable[[Asked], Verdict]] = {
            message.TOPOLOGY: self._topology,
            message.RENEWAL: self._renewal,
            message.UPLOAD: self._upload,
        }

    def decide(self, path: str, asked: Asked) -> Verdict:
        route = self.routes.get(path)
        if route is None:
            return Verdict(404, "NotFound")
        if asked.date and _skewed(asked.date):
            return Verdict(403, "InvalidClientClock")
        return route(asked)

    def _topology(self, asked: Asked) -> Verdict:
        if asked.authorization:
            return self._onboarding(asked)
        verdict = self._authenticated(asked)
        if verdict.status != HTTPStatus.OK:
            return verdict
        renew = self._registry.wants_renewal(asked.workspace)
        body = message.topology_answer(asked.host, renew=renew)
        return Verdict(200, guid=verdict.guid, body=body)

    def _onboarding(self, asked: Asked) -> Verdict:
        key = self._registry.key(asked.workspace)
        if key is None:
            return Verdict(403, "InvalidWorkspaceId")
        workspace, _, told = asked.authorization.partition("; ")
        right = message.signature(key, asked.date, asked.body)
        whole = asked.hash == message.content_hash(asked.body)
        if workspace != asked.workspace or not whole or not hmac.compare_digest(told, right):
            return Verdict(403, "InvalidWorkspaceKey")
        guid = message.element(asked.body, "EntityTypeId")
        der = _certificate(message.element(asked.body, "AuthenticationCertificate"))
        if der is None or not guid:
            return Verdict(400, "InvalidCertificate")
        self._take(asked.workspace, guid, der)
        return Verdict(200, guid=guid, body=message.topology_answer(asked.host))

    def _renewal(self, asked: Asked) -> Verdict:
        verdict = self._authenticated(asked)
        if verdict.status != HTTPStatus.OK:
            return verdict
        der = _certificate(message.element(asked.body, "NewCertificate"))
        if der is None:
            return Verdict(400, "InvalidCertificate", verdict.guid)
        self._take(asked.workspace, verdict.guid, der)
        return Verdict(200, guid=verdict.guid)

    def _upload(self, asked: Asked) -> Verdict:
        return self._authenticated(asked)

    def _authenticated(self, asked: Asked) -> Verdict:
        der = asked.certificate
        if der is None:
            return Verdict(403, "NoCertificate")
        guid = self._registry.holder(asked.workspace, der)
        if guid is None:
            return Verdict(403, "InvalidCertificate")
        if x509.load_der_x509_certificate(der).not_valid_after_utc < _now():
            return Verdict(403, "CertificateExpired", guid)
        return Verdict(200, guid=guid)

    def _take(self, workspace: str, guid: str, der: bytes) -> None:
        self._context.load_verify_locations(cadata=der)
        self._registry.register(workspace, guid, der)


class Endpoint(ThreadingHTTPServer):
    """The listening socket; each connection does its handshake in a thread of its own."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.log = RequestLog(directory)
        self.tls = _server_context(directory / "server.pem")
        self.service = Service(Registry(directory), self.tls)

    def finish_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        if not isinstance(request, socket.socket):
            return
        request.settimeout(_TIMEOUT)
        try:
            tls = self.tls.wrap_socket(request, server_side=True)
        except OSError as error:
            self.log.append(Request(time.time(), "", "", 0, "", "", f"TLS: {error}"))
            return
        with tls, contextlib.suppress(OSError):
            _Handler(tls, client_address, self)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one POST."""

    server: Endpoint
    request: ssl.SSLSocket

    def do_POST(self) -> None:
        asked = self._asked()
        path = self.path.partition("?")[0]
        verdict = self.server.service.decide(path, asked)
        seen = fingerprint(asked.certificate) if asked.certificate else ""
        self.server.log.append(
            Request(
                time.time(),
                asked.workspace,
                path,
                verdict.status,
                verdict.guid,
                seen,
                verdict.reason,
            )
        )
        body = verdict.body or f"<Error><Reason>{verdict.reason}</Reason></Error>".encode()
        self.send_response(verdict.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _asked(self) -> Asked:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        host = self.headers.get("Host", "")
        return Asked(
            workspace=host.partition(".")[0],
            host=host,
            body=body,
            date=self.headers.get(message.DATE, ""),
            hash=self.headers.get(message.CONTENT_HASH, ""),
            authorization=self.headers.get(message.AUTHORIZATION, ""),
            certificate=self.request.getpeercert(binary_form=True),
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing on stderr: the request log has it."""


def _server_context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    flags = ssl.VERIFY_X509_PARTIAL_CHAIN if hasattr(ssl, "VERIFY_X509_PARTIAL_CHAIN") else 0x80000
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | flags | _NO_CHECK_TIME)
    return context


def _certificate(text: str) -> bytes | None:
    try:
        der = base64.b64decode(text, validate=True)
        x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        return None
    return der


def _skewed(date: str) -> bool:
    try:
        told = dt.datetime.fromisoformat(date[:26] + "+00:00")
    except ValueError:
        return True
    return abs(told - _now()) > _SKEW


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
