"""What must be known of a certificate to see that a file and a port belong together."""

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from worker.observations.certificate import DAMAGED
from worker.observations.content import read_content
from worker.observations.observation import ObservationError

_PEM = b"-----BEGIN "
_CERTIFICATE = re.compile(b"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END ", re.DOTALL)
_ASKABLE = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate's fingerprint and the names that it is made out for."""

    sha256: str
    names: frozenset[str]
    first_name: str = ""  # that a client may ask for

    def shares_name(self, other: "Leaf") -> bool:
        return not self.names.isdisjoint(other.names)


def read_leaf(path: Path) -> Leaf | None:
    """Return the certificate of a file; None if there is none that can be read."""
    try:
        data = read_content(path, 1024 * 1024)
    except ObservationError:
        return None
    return parse_leaf(data) if data else None


def parse_leaf(data: bytes) -> Leaf | None:
    """Return the first certificate of a PEM file, or DER; None if it holds none."""
    try:
        return _describe(_load(data))
    except DAMAGED:
        return None


def _load(data: bytes) -> x509.Certificate:
    if found := _CERTIFICATE.search(data):
        end = data.find(b"\n", found.end())
        return x509.load_pem_x509_certificate(data[found.start() : end if end > 0 else None])
    return x509.load_der_x509_certificate(data)


def _describe(certificate: x509.Certificate) -> Leaf:
    names = _names(certificate)
    first = next((asked for name in names if (asked := _askable(name))), "")
    return Leaf(certificate.fingerprint(hashes.SHA256()).hex(), frozenset(names), first)


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names and addresses in small letters; without any the common name."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [
            str(name.value).lower()
            for name in found
            if isinstance(name, x509.DNSName | x509.IPAddress)
        ]
    except x509.ExtensionNotFound:
        names = []
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names or [str(name.value).lower() for name in common]


def _askable(name: str) -> str:
    """Return a host name that a certificate's name covers; empty if it is none."""
    host = f"www.{name[2:]}" if name.startswith("*.") else name
    return host if _ASKABLE.fullmatch(host) and not host.replace(".", "").isdigit() else ""
