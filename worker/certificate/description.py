"""What a certificate says, wherever it was found."""

import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from worker.observations.observation import Fields

DAMAGED = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate says."""

    not_before: datetime
    not_after: datetime
    serial: str  # upper-case hexadecimal, whole bytes, as openssl writes it
    subject: str  # RFC 4514
    issuer: str  # RFC 4514
    san: tuple[str, ...]  # `DNS:name`, `IP:address`, `email:…`, `URI:…`
    sha256: str
    sha1: str
    key_type: str
    common_name: str = ""
    public_key: bytes = field(default=b"", repr=False)  # DER

    @property
    def is_self_signed(self) -> bool:
        """Tell whether who it is made out for also made it, by its names."""
        return self.subject == self.issuer

    def fields(self) -> Fields:
        """Return the fields of observations that every certificate has."""
        return {
            "not_before": self.not_before,
            "not_after": self.not_after,
            "days_left": (self.not_after - datetime.now(UTC)) // _DAY,
            "serial": self.serial,
            "subject": self.subject,
            "issuer": self.issuer,
            "san": list(self.san),
            "sha256": self.sha256,
            "key_type": self.key_type,
        }


def read_der(data: bytes) -> Certificate:
    """Read one certificate in DER. Raises one of DAMAGED."""
    with warnings.catch_warnings():  # an odd certificate is worth reading without a lecture
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return describe(x509.load_der_x509_certificate(data))


def describe(certificate: x509.Certificate) -> Certificate:
    """Return what a certificate says. Raises one of DAMAGED."""
    key = certificate.public_key()
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return Certificate(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=_serial(certificate.serial_number),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        san=_alternative_names(certificate),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        sha1=certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - openssl shows it
        key_type=_key_type(key),
        common_name=str(common[-1].value) if common else "",
        public_key=public_bytes(key),
    )


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return a public key as its certificate holds it: equal keys are equal bytes."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _serial(number: int) -> str:
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(_show_name(name) for name in names)


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
