"""Real daemons with certificates from an authority: one reloads, one differs from its workers."""

import signal
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.unit.worker.observations.certificates import key_pem, pem
from tests.unit.worker.observations.servers import Serve

AUTHORITY = ec.generate_private_key(ec.SECP256R1())
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in one file as HAProxy wants them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def put(self, path: Path) -> Path:
        """Write the pair in place, as a renewal does."""
        path.write_bytes(pem(self.certificate) + key_pem(self.key))
        return path


def issue(
    name: str = "www.example.com",
    begins: timedelta = -HOUR,
    ends: timedelta = 90 * DAY,
    *,
    itself: bool = False,
    key: rsa.RSAPrivateKey | None = None,
) -> Pair:
    """Issue a certificate, dated back by an hour as authorities do, or signed by itself."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC).replace(microsecond=0)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if itself else authority)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(own if itself else AUTHORITY, hashes.SHA256())
    )
    return Pair(made, own)


def context(path: Path) -> ssl.SSLContext:
    """Return what a daemon makes of a pair when it reads it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


def _shake(made: ssl.SSLContext, connection: socket.socket) -> None:
    with made.wrap_socket(connection, server_side=True):
        pass


def reloading(path: Path) -> Serve:
    """Show what the file held at the first connection, or at the last SIGHUP before it."""
    loaded: list[ssl.SSLContext] = [context(path)]

    def reload(_number: int, _frame: object) -> None:
        loaded[0] = context(path)

    def serve(connection: socket.socket) -> None:
        signal.signal(signal.SIGHUP, reload)
        _shake(loaded[0], connection)

    return serve


def in_turn(paths: Iterable[Path]) -> Serve:
    """Be a daemon of several workers, each with what it read when it was started."""
    contexts = cycle([context(path) for path in paths])
    return lambda connection: _shake(next(contexts), connection)


def of_both_kinds(*paths: Path) -> Serve:
    """Have a certificate for each kind of key, and show what suits the client."""
    made = context(paths[0])
    for path in paths[1:]:
        made.load_cert_chain(path)
    return lambda connection: _shake(made, connection)


def by_name(default: Path, others: dict[str, Path]) -> Serve:
    """Show the certificate of the name that is asked for."""
    made, named = context(default), {name: context(path) for name, path in others.items()}

    def choose(connection: ssl.SSLObject, name: str | None, _own: ssl.SSLContext) -> None:
        connection.context = named.get(name or "", made)

    made.sni_callback = choose
    return lambda connection: _shake(made, connection)
