"""Pairs of a certificate and its key, signed by an authority below another, as the web has them."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
WEAK = 1024  # bits of RSA: every daemon of Debian's refuses such a certificate at its start


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain, and the key."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: Key

    @property
    def sha256(self) -> str:
        return self.leaf.fingerprint(hashes.SHA256()).hex()

    @property
    def certificate_pem(self) -> bytes:
        return b"".join(c.public_bytes(Encoding.PEM) for c in (self.leaf, *self.chain))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Authority:
    """An authority below a root, which signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        root = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _builder("ca", self._key, "root", 3650).sign(root, hashes.SHA256())

    def pair(self, *names: str, key: Key | None = None, days: int = 90) -> Pair:
        """Return a new pair for names, valid from an hour ago on, as Let's Encrypt makes them."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = _builder(names[0], own, "ca", days).add_extension(san, critical=False)
        return Pair(builder.sign(self._key, hashes.SHA256()), (self.certificate,), own)

    def weak(self, *names: str) -> Pair:
        """Return a pair that looks good, and that no daemon of Debian's starts with."""
        return self.pair(*names, key=rsa.generate_private_key(65537, WEAK))

    def expired(self, *names: str) -> Pair:
        """Return a pair that ended an hour ago."""
        return self.pair(*names, days=0)


def _builder(name: str, key: Key, issuer: str, days: int) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + timedelta(days=days, hours=-1)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=max(days, 1)))
        .not_valid_after(end)
    )


def put(path: Path, content: bytes, owner: int, mode: int) -> None:
    """Put a file in place as renewal tools do: a new one, by a rename."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.chmod(mode)
    os.chown(beside, owner, -1)
    beside.rename(path)
