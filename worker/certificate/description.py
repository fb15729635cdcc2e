"""What a certificate says, wherever it was found."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from worker.certificate.der import one_name_each
from worker.certificate.distinguished_name import show_name
from worker.observations.observation import Fields

DAMAGED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_KINDS: Mapping[type[x509.GeneralName], str] = {
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.RFC822Name: "email",
    x509.UniformResourceIdentifier: "URI",
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one certificate says."""

    not_before: datetime
    not_after: datetime
    serial: str  # upper-case hexadecimal, whole bytes, as openssl writes it
    subject: str  # RFC 4514, with the short names of openssl
    issuer: str  # RFC 4514
    san: tuple[str, ...]  # `DNS:name`, `IP:address`, `email:…`, `URI:…` and rarer ones
    sha256: str
    sha1: str
    key_type: str
    common_name: str = ""
    public_key: bytes = field(default=b"", repr=False)  # DER
    der: bytes = field(default=b"", repr=False)  # all of it

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
    with quietly():
        return _describe(x509.load_der_x509_certificate(data), data)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep back what the library says of odd certificates: they are worth reading, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _describe(certificate: x509.Certificate, der: bytes) -> Certificate:
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    key_type, public_key = _key(certificate)
    return Certificate(
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        serial=_serial(certificate.serial_number),
        subject=show_name(certificate.subject),
        issuer=show_name(certificate.issuer),
        san=tuple(_alternative_names(certificate, der)),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        sha1=certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - openssl shows it
        key_type=key_type,
        common_name=str(common[-1].value) if common else "",
        public_key=public_key,
        der=der,
    )


def _key(certificate: x509.Certificate) -> tuple[str, bytes]:
    try:
        key = certificate.public_key()
        return _key_type(key), public_bytes(key)
    except DAMAGED:  # of a kind or a curve that is not known here
        return f"oid-{certificate.public_key_algorithm_oid.dotted_string}", b""


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return a public key as its certificate holds it: equal keys are equal bytes."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _serial(number: int) -> str:
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def _alternative_names(certificate: x509.Certificate, der: bytes) -> Iterator[str]:
    try:
        yield from _names_in(certificate)
    except DAMAGED:  # one name or another extension is damaged; that need not be all of them
        for copy in one_name_each(der):
            try:
                yield from _names_in(x509.load_der_x509_certificate(copy))
            except DAMAGED:
                yield "other:unreadable"


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [_show(name) for name in found.value]


def _show(name: x509.GeneralName) -> str:
    match name:
        case x509.DirectoryName():
            return f"dirName:{show_name(name.value)}"
        case x509.RegisteredID():
            return f"RID:{name.value.dotted_string}"
        case x509.OtherName():
            return f"other:{name.type_id.dotted_string}"
        case _:
            return f"{_KINDS[type(name)]}:{name.value}"


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
