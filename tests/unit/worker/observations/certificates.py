"""Real certificates and keys for tests."""

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

NOT_BEFORE = datetime(2024, 2, 29, 12, 30, 45, tzinfo=UTC)
SERIAL = 0xABC
NAMES = [
    x509.DNSName("a.example"),
    x509.IPAddress(ipaddress.ip_address("::1")),
    x509.RFC822Name("ops@a.example"),
    x509.UniformResourceIdentifier("spiffe://a/b"),
]


def certificate(
    key: PrivateKey, *, not_after: datetime | None = None, names: bool = True
) -> x509.Certificate:
    """Return a self-signed certificate with known contents."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ops, Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, "web1"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(SERIAL)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(not_after or NOT_BEFORE + timedelta(days=365))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def key_pem(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
