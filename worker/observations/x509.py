"""The observation `x509`: a certificate in a file, and whether a key belongs to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from contract.observation import X509
from worker.observations.content import read_content
from worker.observations.observation import Fields, ObservationError
from worker.root import Root

_LARGEST = 1024 * 1024
_DAY = timedelta(days=1)
_PEM = b"-----BEGIN "
_DAMAGED = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension)


def observe_x509(arguments: X509, root: Root) -> Fields:
    """Read a certificate: the first one of a PEM file, or DER."""
    path = root.locate(arguments.path)
    data = read_content(path, _LARGEST)
    if data is None:
        return {"exists": False}
    try:
        certificate = _parse(data)
        fields = _describe(certificate)
    except _DAMAGED as error:
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


def _describe(certificate: x509.Certificate) -> Fields:
    not_after = certificate.not_valid_after_utc
    serial = f"{certificate.serial_number:X}"
    return {
        "not_before": certificate.not_valid_before_utc,
        "not_after": not_after,
        "days_left": (not_after - datetime.now(UTC)) // _DAY,
        "serial": serial.zfill(len(serial) + len(serial) % 2),  # whole bytes, as openssl writes it
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "san": _alternative_names(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "key_type": _key_type(certificate.public_key()),
    }


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [_show_name(name) for name in names]


def _show_name(name: x509.GeneralName) -> str:
    match name:
        case x509.DNSName():
            return f"DNS:{name.value}"
        case x509.IPAddress():
            return f"IP:{name.value}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.DirectoryName():
            return f"dirName:{name.value.rfc4514_string()}"
        case _:
            return f"other:{type(name).__name__}"


def _key_type(key: PublicKeyTypes) -> str:
    match key:
        case rsa.RSAPublicKey():
            return f"rsa-{key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"ec-{key.curve.name}"
        case ed25519.Ed25519PublicKey():
            return "ed25519"
        case ed448.Ed448PublicKey():
            return "ed448"
        case dsa.DSAPublicKey():
            return f"dsa-{key.key_size}"
        case _:
            return type(key).__name__.removesuffix("PublicKey").lower()


def _compare(certificate: x509.Certificate, path: Path | None) -> Fields:
    data = read_content(path, _LARGEST) if path else None
    if data is None:
        return {"key_exists": False, "key_matches": False}
    try:
        load = load_pem_private_key if _PEM in data else load_der_private_key
        found = load(data, password=None).public_key()
    except TypeError:  # what cryptography says when a password is needed
        raise ObservationError(f"{path} is encrypted: it can't be compared") from None
    except _DAMAGED:
        return {"key_exists": True, "key_matches": False}
    return {"key_exists": True, "key_matches": _bytes(found) == _bytes(certificate.public_key())}


def _bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
