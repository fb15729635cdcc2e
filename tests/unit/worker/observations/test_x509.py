"""The observation x509, on real certificates whole and damaged."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding

from contract.probe import X509
from tests.unit.worker.observations.certificates import (
    NOT_BEFORE,
    PrivateKey,
    certificate,
    key_pem,
    pem,
)
from tests.unit.worker.privilege import forbidden
from worker.observations.observation import Fields, ObservationError
from worker.observations.x509 import observe_x509
from worker.root import Root

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = certificate(KEY)


def look(root: Path, content: bytes, **options: str) -> Fields:
    """Put a content where a certificate is expected, and observe it."""
    (root / "crt").write_bytes(content)
    return observe_x509(X509(path="/crt", **options), Root(root))  # type: ignore[arg-type]


def test_observe_a_certificate_gives_every_field(tmp_path: Path) -> None:
    fields = look(tmp_path, pem(CERTIFICATE))
    assert fields.pop("days_left") == (NOT_BEFORE + timedelta(365) - datetime.now(UTC)).days
    assert fields == {
        "exists": True,
        "not_before": NOT_BEFORE,
        "not_after": NOT_BEFORE + timedelta(days=365),
        "serial": "0ABC",
        "subject": "CN=web1,O=Ops\\, Ltd",
        "issuer": "CN=web1,O=Ops\\, Ltd",
        "san": ["DNS:a.example", "IP:::1", "email:ops@a.example", "URI:spiffe://a/b"],
        "sha256": CERTIFICATE.fingerprint(hashes.SHA256()).hex(),
        "key_type": "ec-secp256r1",
        "chain_length": 1,
        "key_exists": False,
        "key_matches": False,
    }


@pytest.mark.parametrize(("hours", "days"), [(47, 1), (1, 0), (-1, -1), (-25, -2)])
def test_observe_days_left_are_rounded_down(tmp_path: Path, hours: int, days: int) -> None:
    """One hour over is day -1: never 0, which would look like a last day."""
    end = datetime.now(UTC) + timedelta(hours=hours)
    assert look(tmp_path, pem(certificate(KEY, not_after=end)))["days_left"] == days


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (rsa.generate_private_key(65537, 2048), "rsa-2048"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (ec.generate_private_key(ec.SECP384R1()), "ec-secp384r1"),
    ],
    ids=["rsa", "ed25519", "ec"],
)
def test_observe_any_key_type_is_named_and_matched(
    tmp_path: Path, key: PrivateKey, kind: str
) -> None:
    (tmp_path / "key").write_bytes(key_pem(key))
    fields = look(tmp_path, pem(certificate(key, names=False)), key="/key")
    assert (fields["key_type"], fields["san"]) == (kind, [])
    assert (fields["key_exists"], fields["key_matches"]) == (True, True)


def test_observe_der_and_chains_give_the_first_certificate(tmp_path: Path) -> None:
    whole = look(tmp_path, pem(CERTIFICATE))
    assert look(tmp_path, CERTIFICATE.public_bytes(Encoding.DER)) == whole
    chain = b"some text\n" + key_pem(KEY) + pem(CERTIFICATE) + pem(certificate(OTHER))
    assert look(tmp_path, chain) == whole


def test_observe_a_missing_file_is_knowledge(tmp_path: Path) -> None:
    assert observe_x509(X509(path="/no/crt"), Root(tmp_path)) == {"exists": False}
    (tmp_path / "file").touch()
    assert observe_x509(X509(path="/file/crt"), Root(tmp_path)) == {"exists": False}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"no certificate",
        pem(CERTIFICATE)[:200],
        pem(CERTIFICATE).replace(b"MII", b"AAA"),
        key_pem(KEY),
        CERTIFICATE.public_bytes(Encoding.DER)[:-20],
    ],
    ids=["empty", "blank", "text", "cut", "damaged", "key", "cut DER"],
)
def test_observe_a_damaged_file_is_unknown_or_absent(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ObservationError, match=r"crt (is empty|holds no readable certificate)"):
        look(tmp_path, content)
    assert look(tmp_path, content, unparsable="absent") == {"exists": False}


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (key_pem(KEY), (True, True)),
        (key_pem(OTHER), (True, False)),
        (key_pem(KEY)[:80], (True, False)),
        (b"", (True, False)),
        (None, (False, False)),
    ],
    ids=["its own", "another", "cut", "empty", "missing"],
)
def test_observe_a_key_tells_whether_it_belongs(
    tmp_path: Path, content: bytes | None, seen: tuple[bool, bool]
) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    fields = look(tmp_path, pem(CERTIFICATE), key="/key")
    assert (fields["key_exists"], fields["key_matches"]) == seen


def test_observe_an_encrypted_key_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(key_pem(KEY, BestAvailableEncryption(b"secret")))
    with pytest.raises(ObservationError, match="key is encrypted"):
        look(tmp_path, pem(CERTIFICATE), key="/key")


def test_observe_what_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    """Nobody takes a refusal for an absent certificate, or for an absent key."""
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "crt").write_bytes(pem(CERTIFICATE))
    with forbidden(closed), pytest.raises(ObservationError, match="permission denied"):
        observe_x509(X509(path="/closed/crt", unparsable="absent"), Root(tmp_path))


def test_observe_no_regular_file_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="no regular file"):
        observe_x509(X509(path="/"), Root(tmp_path))
