"""Keys: the published vectors hold, weak keys stay outside, key files are private."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from contract.key import KeyFileError, SealKey, SealPublicKey, SigningKey, VerifyKey
from tests.unit.contract.curve import (
    FIELD,
    non_canonical_points,
    small_order_points,
    small_order_u,
)

# RFC 8032, section 7.1: secret, public, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
            "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
            "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
            "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
GROUP = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
KINDS = pytest.mark.parametrize("kind", [SigningKey, SealKey])


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_signature_of_the_published_vectors_is_made_and_verified(
    secret: str, public: str, message: str, signature: str
) -> None:
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    assert key.public.text == text(bytes.fromhex(public))
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert VerifyKey(key.public.text).verifies(bytes.fromhex(signature), bytes.fromhex(message))


@given(st.integers(0, 511))
def test_signature_with_any_bit_turned_does_not_verify(bit: int) -> None:
    public, signature = VerifyKey(text(bytes.fromhex(RFC_8032[2][1]))), RFC_8032[2][3]
    forged = bytearray.fromhex(signature)
    forged[bit // 8] ^= 1 << bit % 8
    assert not public.verifies(bytes(forged), b"\xaf\x82")


def test_signature_respelt_by_adding_the_group_order_does_not_verify() -> None:
    """Nobody without the key can make a second signature, and so a second digest, of a letter."""
    public, signature = VerifyKey(text(bytes.fromhex(RFC_8032[2][1]))), RFC_8032[2][3]
    raw = bytes.fromhex(signature)
    again = int.from_bytes(raw[32:], "little") + GROUP
    assert not public.verifies(raw[:32] + again.to_bytes(32, "little"), b"\xaf\x82")


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_signature_of_a_wrong_length_does_not_verify(length: int) -> None:
    assert not SigningKey.generate().public.verifies(b"\1" * length, b"")


def test_small_order_points_are_eight_by_the_curve_s_own_arithmetic() -> None:
    assert len(small_order_points()) == 8


@pytest.mark.parametrize("point", small_order_points(), ids=range(8))
def test_signing_key_of_small_order_is_refused(point: bytes) -> None:
    """With such a key anybody's signature verifies, over any message."""
    with pytest.raises(KeyFileError, match="small order"):
        VerifyKey(text(point))


@pytest.mark.parametrize("point", [(1).to_bytes(32, "little")])
def test_signing_key_of_small_order_would_have_verified_a_forgery(point: bytes) -> None:
    """The reason for the rule: the library itself believes the identity point."""
    Ed25519PublicKey.from_public_bytes(point).verify(point + bytes(32), b"any message at all")


@pytest.mark.parametrize("point", non_canonical_points(), ids=range(40))
def test_signing_key_in_a_second_spelling_is_refused(point: bytes) -> None:
    """One key has one spelling; its id, the digest of it, would be another's otherwise."""
    with pytest.raises(KeyFileError):
        VerifyKey(text(point))


@pytest.mark.parametrize("u", small_order_u(), ids=range(5))
def test_sealing_key_of_small_order_is_refused(u: int) -> None:
    """What is sealed to such a key could be opened by anybody."""
    raw = u.to_bytes(32, "little")
    with pytest.raises(ValueError, match="Error computing shared key"):
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))
    with pytest.raises(KeyFileError, match="small order"):
        SealPublicKey(text(raw))


@pytest.mark.parametrize("number", [FIELD, FIELD + 1, FIELD + 9, 2**255, 2**255 + 9, 2**256 - 1])
def test_sealing_key_in_a_second_spelling_is_refused(number: int) -> None:
    with pytest.raises(KeyFileError, match="not canonical"):
        SealPublicKey(text(number.to_bytes(32, "little")))


@pytest.mark.parametrize("kind", [VerifyKey, SealPublicKey])
@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "AAAA",
            "é" * 44,
            "A" * 43,
            "A" * 42 + "B=",
            "!" * 44,
            " " + "A" * 43 + "=",
            "A" * 44,
        ),
        *("A" * 43 + "=\n", text(b"\x09" + bytes(31)).rstrip("="), "A" * 10_000),
    ],
    ids=range(11),
)
def test_public_key_that_is_no_canonical_base64_of_32_bytes_is_refused(
    kind: type[VerifyKey | SealPublicKey], wrong: str
) -> None:
    with pytest.raises(KeyFileError, match="32 bytes in"):
        kind(wrong)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_public_key_of_any_32_bytes_is_refused_or_verifies_no_random_signature(
    raw: bytes, signature: bytes
) -> None:
    """Half of all byte strings are no point of the curve; that must not raise later."""
    for kind in (VerifyKey, SealPublicKey):
        try:
            key = kind(text(raw))
        except KeyFileError:
            continue
        assert isinstance(key, SealPublicKey) or not key.verifies(signature, b"message")


@KINDS
def test_key_file_is_private_and_gives_the_same_key_back(
    kind: type[SigningKey | SealKey], tmp_path: Path
) -> None:
    key, path = kind.generate(), tmp_path / "key.pem"
    key.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert kind.load(path).public.text == key.public.text


@KINDS
def test_key_file_that_exists_is_never_overwritten(
    kind: type[SigningKey | SealKey], tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    kind.generate().save(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        kind.generate().save(path)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="never overwritten"):
        kind.generate().save(tmp_path / "link")
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


@KINDS
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o777])
def test_key_file_that_others_can_reach_is_refused_with_the_cure(
    kind: type[SigningKey | SealKey], mode: int, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    kind.generate().save(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"run: chmod 600 {path}"):
        kind.load(path)


@KINDS
def test_key_file_that_is_missing_or_no_file_is_refused_in_one_line(
    kind: type[SigningKey | SealKey], tmp_path: Path
) -> None:
    with pytest.raises(KeyFileError, match=f"no key at {tmp_path}/none"):
        kind.load(tmp_path / "none")
    with pytest.raises(KeyFileError, match="can't read the key"):
        kind.load(tmp_path)
    with pytest.raises(KeyFileError, match="can't write the key"):
        kind.generate().save(tmp_path / "none" / "key.pem")


def test_key_file_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    SigningKey.generate().save(tmp_path / "sign.pem")
    SealKey.generate().save(tmp_path / "seal.pem")
    with pytest.raises(KeyFileError, match="holds no Ed25519 key"):
        SigningKey.load(tmp_path / "seal.pem")
    with pytest.raises(KeyFileError, match="holds no X25519 key"):
        SealKey.load(tmp_path / "sign.pem")


def test_key_file_with_any_bit_turned_loads_as_a_key_or_is_refused(tmp_path: Path) -> None:
    """Damage never ends in a traceback of the library's."""
    path = tmp_path / "key.pem"
    SigningKey.generate().save(path)
    lines = path.read_bytes().splitlines()
    body = base64.b64decode(b"".join(lines[1:-1]))
    for bit in range(len(body) * 8):
        damaged = bytearray(body)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(b"\n".join([lines[0], base64.b64encode(damaged), lines[-1], b""]))
        try:
            SigningKey.load(path)
        except KeyFileError as error:
            assert str(path) in str(error)  # noqa: PT017 - some are keys still


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"-----BEGIN PRIVATE KEY-----\n", b"key"])
def test_key_file_of_rubbish_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match="holds no unencrypted private key"):
        SigningKey.load(path)
