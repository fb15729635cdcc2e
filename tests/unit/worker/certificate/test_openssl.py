"""The same answer as openssl, for every certificate of cryptography's own collection."""

import hashlib
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import cryptography
import cryptography_vectors
import pytest

from worker.certificate.description import Certificate
from worker.certificate.reading import read_certificate
from worker.certificate.witness import Held, Unreadable

VECTORS = Path(cryptography_vectors.__file__).parent
SUFFIXES = {".pem", ".crt", ".der", ".p7b", ".p12"}
OF_PKCS12 = "x509/PKITS_data/pkcs12"  # the same certificates again, behind passwords

# What openssl reads and cryptography refuses; each with a word of the reason.
REFUSED: Mapping[str, str] = {
    "x509/PKITS_data/certs/DSAParametersInheritedCACert.crt": "spki/algorithm/params",
    "x509/PKITS_data/certs/ValidDSAParameterInheritanceTest5EE.crt": "spki/algorithm/params",
    "x509/badasn1time.pem": "invalid value at tbs_cert/validity/not_after",
    "x509/custom/dsa_null_alg_params.pem": "signature_alg",
    "x509/custom/ecdsa_null_alg.pem": "signature_alg",
    "x509/custom/invalid_version.pem": "7 is not a valid X509 version",
    "x509/ed25519/ed25519-rfc8410.pem": "encoded default at",
}
# Alternative names of which neither says more than that there is one.
ODD_NAMES: Mapping[str, str] = {
    "x509/custom/malformed-san.pem": "",
    "x509/san_edipartyname.der": "",
    "x509/san_x400address.der": "X400Name:<unsupported>",
}


@dataclass(frozen=True)
class Said:
    """What openssl says of one file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(VECTORS))

    def line(self, label: str) -> str:
        found = re.search(rf"^{label}=(.*)$", self.text, re.MULTILINE)
        assert found, f"openssl says no {label} of {self.name}"
        return found[1]

    def moment(self, label: str) -> datetime:
        return datetime.strptime(self.line(label), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)

    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.text[self.text.index("-----BEGIN") :].strip())

    def names(self) -> str:
        found = re.search(r"Subject Alternative Name:.*\n +(.*)\n", self.text)
        return found[1] if found else ""


def ask(path: Path) -> Said | None:
    """Ask openssl for all it knows of a certificate, with one call; None if it can't read it."""
    argv = ["openssl", "x509", "-in", str(path), "-passin", "pass:", "-dates", "-serial"]
    argv += ["-subject", "-issuer", "-nameopt", "RFC2253,-esc_msb"]
    argv += ["-ext", "subjectAltName", "-fingerprint", "-sha256"]
    done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return Said(path, done.stdout.decode(errors="replace")) if done.returncode == 0 else None


def candidates() -> Iterator[Path]:
    """Give every file that may hold a certificate."""
    for path in sorted(VECTORS.rglob("*")):
        if path.suffix in SUFFIXES and not path.is_relative_to(VECTORS / OF_PKCS12):
            data = path.read_bytes()
            if data.startswith(b"\x30") or b"CERTIFICATE-----" in data:
                yield path


@pytest.fixture(scope="module")
def said() -> list[Said]:
    """What openssl says, of each certificate that it can read."""
    assert shutil.which("openssl"), "openssl is missing: apt install openssl"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [each for each in pool.map(ask, candidates()) if each]


def as_openssl_writes(name: str) -> str:
    """Turn one of our alternative names into a pattern for openssl's."""
    kind, _, value = name.partition(":")
    match kind:
        case "IP":
            return re.escape(f"IP Address:{_address(value)}")
        case "RID":
            return re.escape(f"Registered ID:{value}")
        case "dirName":
            return re.escape("DirName:" + "".join(f"/{x}" for x in reversed(value.split(","))))
        case "other":
            return "othername:.*"
        case _:
            return re.escape(name)


def _address(text: str) -> str:
    address = ip_address(text)
    if not isinstance(address, IPv6Address):
        return text
    return ":".join(f"{int(group, 16):X}" for group in address.exploded.split(":"))


def differences(ours: Certificate, theirs: Said) -> Iterator[str]:
    """Tell where two answers differ."""
    der = theirs.der()
    pairs = {
        "not_before": (ours.not_before, theirs.moment("notBefore")),
        "not_after": (ours.not_after, theirs.moment("notAfter")),
        "serial": (ours.serial, theirs.line("serial")),
        "subject": (ours.subject, theirs.line("subject")),
        "issuer": (ours.issuer, theirs.line("issuer")),
        "sha256": (ours.sha256, theirs.line("(?i:sha256) Fingerprint").replace(":", "").lower()),
        "sha1": (ours.sha1, hashlib.sha1(der, usedforsecurity=False).hexdigest()),
    }
    yield from (f"{what}: {a!r} is not {b!r}" for what, (a, b) in pairs.items() if a != b)
    pattern = ", ".join(as_openssl_writes(name) for name in ours.san)
    if theirs.name not in ODD_NAMES and not re.fullmatch(pattern, theirs.names()):
        yield f"san: {ours.san!r} is not {theirs.names()!r}"


def test_vectors_are_those_of_the_cryptography_that_is_tested() -> None:
    assert cryptography_vectors.__version__ == cryptography.__version__


@pytest.mark.timeout(300)  # openssl is started some six hundred times
def test_every_certificate_is_told_as_openssl_tells_it(said: list[Said]) -> None:
    """Times, serial, names and fingerprints; what can't be read is told, by name and reason."""
    assert len(said) > 500
    wrong: list[str] = []
    refused: dict[str, str] = {}
    for each in said:
        file = read_certificate(each.path)
        if isinstance(file, Held):
            wrong += [f"{each.name}: {found}" for found in differences(file.leaf, each)]
        else:
            assert isinstance(file, Unreadable)
            refused[each.name] = file.why
    assert wrong == []
    assert refused.keys() == REFUSED.keys()
    assert [name for name, why in refused.items() if REFUSED[name] not in why] == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_name_of_an_odd_kind_is_told_as_unreadable(name: str) -> None:
    """One name that nobody understands does not hide the certificate."""
    file = read_certificate(VECTORS / name)
    assert isinstance(file, Held)
    assert file.leaf.san == ("other:unreadable",)
