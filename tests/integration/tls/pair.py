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
    """A root and an authority below it, which signs."""

    def __init__(self) -> None:
        self._root, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.certificate = _certificate("ca", self._key, "root", self._root, ca=True)

    def pair(self, *names: str, key: Key | None = None, days: int = 90) -> Pair:
        """Return a new pair for names, from an hour ago on, as Let's Encrypt makes them."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate("", own, "ca", self._key, names=names, days=days)
        return Pair(leaf, (self.certificate,), own)

    def weak(self, *names: str) -> Pair:
        return self.pair(*names, key=rsa.generate_private_key(65537, WEAK))


def _certificate(
    name: str,
    key: Key,
    issuer: str,
    signer: Key,
    *,
    ca: bool = False,
    names: tuple[str, ...] = (),
    days: int = 90,
) -> x509.Certificate:
    begin = datetime.now(UTC) - timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name or names[0]))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        dns = [x509.DNSName(each) for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(dns), critical=False)
    return builder.sign(signer, hashes.SHA256())


def put(path: Path, content: bytes, owner: int, mode: int) -> None:
    """Put a file in place as renewal tools do: a new one, by a rename."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.chmod(mode)
    os.chown(beside, owner, -1)
    beside.rename(path)
