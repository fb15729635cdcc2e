"""What a certificate says, wherever it was found."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from worker.observations.observation import Fields

DAMAGED = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension)
_DAY = timedelta(days=1)


def describe(certificate: x509.Certificate) -> Fields:
    """Return the fields that every certificate has. Raises one of DAMAGED."""
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
