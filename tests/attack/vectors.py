"""Public vectors: RFC 8032, DSSE's protocol page, and C2SP's CCTV for Ed25519 (BSD, see cctv/).

CCTV tells of each of its 914 keys and signatures what is odd about them. What must hold here is
that no key with which anybody's signature could verify, and none in a second spelling, comes in.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelope import pre_authentication_encoding
from contract.key import KeyFileError, SigningKey, VerifyKey
from tests.unit.contract.test_key import RFC_8032

_CCTV = Path(__file__).with_name("cctv") / "ed25519vectors.json"
_NEVER = frozenset({"low_order_A", "non_canonical_A"})
# https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, test vectors
_DSSE = ("http://example.com/HelloWorld", b"hello world")
_DSSE_PAE = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def broken_vectors() -> tuple[int, list[str]]:
    """Return how many vectors were tried, and those that do not hold, a sentence each."""
    results = [*_rfc_8032(), *_dsse(), *_cctv()]
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
