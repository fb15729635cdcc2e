"""The observation `x509`: a certificate in a file, and whether a key belongs to it."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from contract.observation import X509
from worker.observations.certificate import DAMAGED, describe
from worker.observations.content import read_content
from worker.observations.observation import Fields, ObservationError
from worker.root import Root

_LARGEST = 1024 * 1024
_PEM = b"-----BEGIN "


def observe_x509(arguments: X509, root: Root) -> Fields:
    """Read a certificate: the first one of a PEM file, or DER."""
    path = root.locate(arguments.path)
    data = read_content(path, _LARGEST)
    if data is None:
        return {"exists": False}
    try:
        certificate = _parse(data)
        fields = describe(certificate)
    except DAMAGED as error:
        if arguments.unparsable == "absent":
            return {"exists": False}
        problem = f"holds no readable certificate: {error}" if data.strip() else "is empty"
        raise ObservationError(f"{path} {problem}") from None
    key = root.locate(arguments.key) if arguments.key else None
    return {"exists": True, **fields, **_compare(certificate, key)}


def _parse(data: bytes) -> x509.Certificate:
    if _PEM in data:
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


def _compare(certificate: x509.Certificate, path: Path | None) -> Fields:
    data = read_content(path, _LARGEST) if path else None
    if data is None:
        return {"key_exists": False, "key_matches": False}
    try:
        load = load_pem_private_key if _PEM in data else load_der_private_key
        found = load(data, password=None).public_key()
    except TypeError:  # what cryptography says when a password is needed
        raise ObservationError(f"{path} is encrypted: it can't be compared") from None
    except DAMAGED:
        return {"key_exists": True, "key_matches": False}
    return {"key_exists": True, "key_matches": _bytes(found) == _bytes(certificate.public_key())}


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
