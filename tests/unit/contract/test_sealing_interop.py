"""Sealing against other code: pyhpke opens what we seal, and we open what it seals (RFC 9180)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, OpenError

from contract.key import SealKey
from contract.sealing import SealContext, SealError, seal, unseal
from tests.other_hpke import ENC, altered, their_open, their_seal

OTHER_SUITES = [
    CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM),
    CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA512, AEADId.CHACHA20_POLY1305),
]
HOST, OTHER_HOST = SealKey.generate(), SealKey.generate()
CONTEXT = SealContext("01ARZ3NDEKTSV4RRFFQ69G5FAV", "web1", 1, "a" * 64, "key")
INFO = CONTEXT.info()
SECRET = "correct horse battery staple"


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_what_we_seal_opens_there(secret: str) -> None:
    assert their_open(seal(secret, HOST.public, CONTEXT), HOST, INFO) == secret


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_what_they_seal_opens_here(secret: str) -> None:
    assert unseal(their_seal(secret, HOST.public, INFO), HOST, CONTEXT) == secret


@pytest.mark.parametrize("at", [0, ENC - 1, ENC, ENC + 20, -1])
def test_sealed_value_of_either_side_that_was_altered_opens_on_neither(at: int) -> None:
    """A bit of the encapsulated key, of the ciphertext or of its tag is enough."""
    for sealed in (seal(SECRET, HOST.public, CONTEXT), their_seal(SECRET, HOST.public, INFO)):
        with pytest.raises(OpenError):
            their_open(altered(sealed, at), HOST, INFO)
        with pytest.raises(SealError):
            unseal(altered(sealed, at), HOST, CONTEXT)


def test_every_byte_of_the_info_counts_there_as_here() -> None:
    sealed = seal(SECRET, HOST.public, CONTEXT)
    for at in range(len(INFO)):
        other = INFO[:at] + bytes([INFO[at] ^ 1]) + INFO[at + 1 :]
        with pytest.raises(OpenError):
            their_open(sealed, HOST, other)
        with pytest.raises(SealError):
            unseal(their_seal(SECRET, HOST.public, other), HOST, CONTEXT)


def test_another_host_s_key_opens_neither_side_s() -> None:
    with pytest.raises(OpenError):
        their_open(seal(SECRET, HOST.public, CONTEXT), OTHER_HOST, INFO)
    with pytest.raises(SealError):
        unseal(their_seal(SECRET, HOST.public, INFO), OTHER_HOST, CONTEXT)


@pytest.mark.parametrize("suite", OTHER_SUITES, ids=["aes-256-gcm", "hkdf-sha512"])
def test_another_suite_opens_nothing_here(suite: CipherSuite) -> None:
    with pytest.raises(SealError):
        unseal(their_seal(SECRET, HOST.public, INFO, suite), HOST, CONTEXT)
