"""Files of certificates and keys, whole, damaged and odd."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.worker.observations.certificates import certificate, key_pem, pem
from worker.certificate.reading import LARGEST, read_certificate
from worker.certificate.witness import Absent, FileWitness, Held, KeyStatus, Unreadable

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
OWN = certificate(KEY)
SHA256 = OWN.fingerprint(hashes.SHA256()).hex()


def signed(
    subject: str,
    issuer: str,
    begins: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ends: datetime = datetime(2027, 1, 1, tzinfo=UTC),
) -> x509.Certificate:
    """A certificate of KEY, signed by KEY, under whatever names."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(KEY, hashes.SHA256())
    )


def read(directory: Path, content: bytes, key: bytes | None = None) -> FileWitness:
    """Put a content, and a key's, where they are expected, and read them."""
    (directory / "crt").write_bytes(content)
    if key is None:
        return read_certificate(directory / "crt")
    (directory / "key").write_bytes(key)
    return read_certificate(directory / "crt", directory / "key")


def held(directory: Path, content: bytes, key: bytes | None = None) -> Held:
    file = read(directory, content, key)
    assert isinstance(file, Held), file
    return file


def why(directory: Path, content: bytes) -> str:
    file = read(directory, content)
    assert isinstance(file, Unreadable)
    assert file.was_read
    return file.why


def store(
    password: bytes | None, *others: x509.Certificate, own: x509.Certificate | None = OWN
) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    key = KEY if own else None
    return pkcs12.serialize_key_and_certificates(b"name", key, own, others, encryption)


@pytest.mark.parametrize(
    "content",
    [
        pem(OWN),
        b"Bag Attributes\n    friendlyName: x\n" + pem(OWN),
        pem(OWN).replace(b"\n", b"\r\n"),
        key_pem(KEY) + pem(OWN),
        pem(OWN).replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
        OWN.public_bytes(Encoding.DER),
        store(None),
        b"\xef\xbb\xbf" + pem(OWN),
    ],
    ids=["pem", "text before", "crlf", "key before", "old label", "der", "pkcs12", "bom"],
)
def test_certificate_is_read_in_every_dress(tmp_path: Path, content: bytes) -> None:
    assert held(tmp_path, content).leaf.sha256 == SHA256


def test_trusted_certificate_of_openssl_is_read_without_its_trust(tmp_path: Path) -> None:
    """Openssl puts what it trusts a certificate for behind it, in the same block."""
    import base64

    more = base64.encodebytes(OWN.public_bytes(Encoding.DER) + b"\x30\x02\x30\x00")
    label = b"TRUSTED CERTIFICATE-----\n"
    content = b"-----BEGIN " + label + more + b"-----END " + label
    assert held(tmp_path, content).leaf.sha256 == SHA256


def test_chain_is_followed_from_the_leaf_and_ends_before_the_root(tmp_path: Path) -> None:
    """In whatever order: the leaf is the first, and strangers in the file don't count."""
    leaf, middle = signed("leaf", "middle"), signed("middle", "root")
    root, stranger = signed("root", "root"), signed("stranger", "strange")
    file = held(tmp_path, b"".join(pem(x) for x in (leaf, stranger, root, middle)))
    assert file.leaf.subject == "CN=leaf"
    assert [each.subject for each in file.chain] == ["CN=middle"]
    in_store = held(tmp_path, store(None, middle, root, own=leaf))
    assert (in_store.leaf, in_store.chain) == (file.leaf, file.chain)


def test_chain_that_goes_round_ends(tmp_path: Path) -> None:
    """Two authorities that signed each other, as in a change of keys."""
    leaf, one, two = signed("leaf", "one"), signed("one", "two"), signed("two", "one")
    file = held(tmp_path, pem(leaf) + pem(one) + pem(two))
    assert [each.subject for each in file.chain] == ["CN=one", "CN=two"]


def test_signer_that_ends_first_counts(tmp_path: Path) -> None:
    soon = datetime(2026, 6, 1, tzinfo=UTC)
    file = held(tmp_path, pem(signed("leaf", "middle")) + pem(signed("middle", "root", ends=soon)))
    assert file.ends_first.not_after == soon


def test_damaged_certificate_behind_the_first_is_noted(tmp_path: Path) -> None:
    """A strange root in a bundle does not hide the leaf."""
    damaged = pem(signed("root", "root")).replace(b"MII", b"AAA")
    file = held(tmp_path, pem(OWN) + damaged)
    assert file.leaf.sha256 == SHA256
    assert file.note == "1 of the certificates behind the first can't be read"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"no certificate", "holds no readable certificate"),
        (key_pem(KEY), "there is none among its PEM blocks"),
        (pem(OWN)[:300], "number 1 is cut off"),
        (pem(OWN) + pem(OWN)[:300], "number 2 is cut off"),
        (pem(OWN).replace(b"MII", b"M*I"), "holds no readable certificate"),
        (OWN.public_bytes(Encoding.DER)[:-20], "holds no readable certificate"),
        (store(b"secret"), "is a PKCS#12 file with a password, or damaged"),
        (store(None)[:-40], "holds no readable certificate"),
        (b"x" * (LARGEST + 1), "is larger than 1024 KiB"),
    ],
    ids=[
        *("empty", "blank", "text", "key", "half-written", "half-written chain", "no base64"),
        *("cut DER", "password", "cut PKCS#12", "too large"),
    ],
)
def test_file_without_a_certificate_is_unreadable_with_the_reason(
    tmp_path: Path, content: bytes, words: str
) -> None:
    assert words in why(tmp_path, content)


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    assert read_certificate(tmp_path / "none") == Absent(str(tmp_path / "none"))
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        file = read_certificate(path)
        assert isinstance(file, Unreadable)
        assert not file.was_read


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (datetime(1950, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_before_1970_and_beyond_2050_are_read(
    tmp_path: Path, begins: datetime, ends: datetime
) -> None:
    """UTCTime has two digits for the year, and beyond 2049 there is another format."""
    leaf = held(tmp_path, pem(signed("a", "b", begins, ends))).leaf
    assert (leaf.not_before, leaf.not_after) == (begins, ends)


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (key_pem(KEY), KeyStatus.MATCHES),
        (pem(OWN) + key_pem(KEY), KeyStatus.MATCHES),
        (
            KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            KeyStatus.MATCHES,
        ),
        (
            KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
            KeyStatus.MATCHES,
        ),
        (store(None), KeyStatus.MATCHES),
        (key_pem(OTHER), KeyStatus.MISMATCH),
        (key_pem(KEY, BestAvailableEncryption(b"secret")), KeyStatus.ENCRYPTED),
        (b"", KeyStatus.UNREADABLE),
        (key_pem(KEY)[:100], KeyStatus.UNREADABLE),
        (pem(OWN), KeyStatus.UNREADABLE),
        (b"nonsense", KeyStatus.UNREADABLE),
        (b"x" * (LARGEST + 1), KeyStatus.UNREADABLE),
    ],
    ids=[
        *("pem", "with its certificate", "der", "traditional", "pkcs12", "another's"),
        *("encrypted", "empty", "half-written", "a certificate", "text", "too large"),
    ],
)
def test_key_is_compared(tmp_path: Path, key: bytes, status: KeyStatus) -> None:
    file = held(tmp_path, pem(OWN), key)
    assert file.key is status
    assert bool(file.key_note) is (status is not KeyStatus.MATCHES)


def test_key_that_is_not_there_or_no_file_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "crt").write_bytes(pem(OWN))
    for name, status in (("none", KeyStatus.MISSING), ("", KeyStatus.UNSEEN)):
        file = read_certificate(tmp_path / "crt", tmp_path / name)
        assert isinstance(file, Held)
        assert file.key is status


def test_change_of_a_link_counts_as_the_files(tmp_path: Path) -> None:
    """Who switches a link puts an old file in place: it was changed when the link was."""
    (tmp_path / "archive").mkdir()
    target = tmp_path / "archive" / "crt"
    target.write_bytes(pem(OWN))
    direct = read_certificate(target)
    before = target.stat().st_ctime
    while True:  # until the clock of the file system has moved on
        link = tmp_path / "live"
        link.symlink_to("archive", target_is_directory=True)
        if link.lstat().st_ctime > before:
            break
        link.unlink()
    linked = read_certificate(tmp_path / "live" / "crt")
    assert isinstance(direct, Held)
    assert isinstance(linked, Held)
    assert linked == replace(direct, changed_at=linked.changed_at)
    at = datetime.fromtimestamp((tmp_path / "live").lstat().st_ctime, tz=UTC)
    assert abs(linked.changed_at - at) < timedelta(milliseconds=1)
    assert linked.changed_at > direct.changed_at


def test_links_that_go_round_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    file = read_certificate(tmp_path / "a")
    assert isinstance(file, Unreadable)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_any_damage_is_told_and_never_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    """Bits that flipped, pieces that are missing: an answer of one of the three kinds."""
    content = bytearray(
        data.draw(st.sampled_from([pem(OWN), OWN.public_bytes(Encoding.DER), store(None)]))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    damaged = bytes(content[:cut] if data.draw(st.booleans()) else content)
    file = read(tmp_path, damaged, damaged)
    assert isinstance(file, Held | Unreadable)
    if isinstance(file, Unreadable):
        assert file.why
