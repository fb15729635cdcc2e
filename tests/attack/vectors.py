"""Public vectors: RFC 8032, DSSE's protocol page, and C2SP's CCTV for Ed25519 (BSD, see cctv/).

CCTV tells of each of its 914 keys and signatures what is odd about them. What must hold here is
that no key with which anybody's signature could verify, and none in a second spelling, comes in.

For HPKE (RFC 9180) they are made anew each time: sealed by other code and opened by ours, the
other way about, and altered. The RFC's own have associated data, which ours never has.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelope import pre_authentication_encoding
from contract.key import KeyFileError, SealKey, SigningKey, VerifyKey
from contract.sealing import SealContext, SealError, seal, unseal
from tests.other_hpke import altered, their_open, their_seal
from tests.unit.contract.test_key import RFC_8032

_CCTV = Path(__file__).with_name("cctv") / "ed25519vectors.json"
_NEVER = frozenset({"low_order_A", "non_canonical_A"})
# https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, test vectors
_DSSE = ("http://example.com/HelloWorld", b"hello world")
_DSSE_PAE = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
_SEALED = tuple("x" * length for length in (0, 6, 59, 60, 61, 252, 253, 1020))


def broken_vectors() -> tuple[int, list[str]]:
    """Return how many vectors were tried, and those that do not hold, a sentence each."""
    results = [*_rfc_8032(), *_dsse(), *_cctv(), *_hpke()]
    return len(results), [told for told in results if told]


def _rfc_8032() -> Iterator[str]:
    for secret, public, message, signature in RFC_8032:
        key = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
        text = base64.b64encode(bytes.fromhex(public)).decode()
        signed = key.sign(bytes.fromhex(message))
        holds = key.public.text == text and signed.hex() == signature
        verified = VerifyKey(text).verifies(signed, bytes.fromhex(message))
        yield "" if holds and verified else f"RFC 8032: {public}"


def _dsse() -> Iterator[str]:
    yield "" if pre_authentication_encoding(*_DSSE) == _DSSE_PAE else "DSSE: the PAE differs"


def _cctv() -> Iterator[str]:
    for vector in json.loads(_CCTV.read_text()):
        must_be_refused = bool(_NEVER & set(vector["flags"] or ()))
        text = base64.b64encode(bytes.fromhex(vector["key"])).decode()
        try:
            VerifyKey(text)
        except KeyFileError:
            is_refused = True
        else:
            is_refused = False
        yield "" if is_refused or not must_be_refused else f"CCTV {vector['number']}: taken"


def _hpke() -> Iterator[str]:
    """Seal each secret on both sides and open it on the other; then turn a bit of it."""
    host = SealKey.generate()
    for number, secret in enumerate(_SEALED):
        context = SealContext("01ARZ3NDEKTSV4RRFFQ69G5FAV", f"web{number}", 1, "a" * 64, "key")
        ours = seal(secret, host.public, context)
        theirs = their_seal(secret, host.public, context.info())
        told = f"HPKE: {len(secret)} characters"
        yield "" if their_open(ours, host, context.info()) == secret else f"{told}, ours there"
        yield "" if unseal(theirs, host, context) == secret else f"{told}, theirs here"
        for at in (number, 32 + number, -1 - number):
            is_refused = _is_refused(altered(theirs, at), host, context)
            yield "" if is_refused else f"{told}, altered at {at}, taken"


def _is_refused(sealed: str, host: SealKey, context: SealContext) -> bool:
    try:
        unseal(sealed, host, context)
    except SealError:
        return True
    return False
