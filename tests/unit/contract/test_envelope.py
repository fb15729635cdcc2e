"""The envelope: what DSSE says, and one named flaw for each way to forge a letter."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from contract.envelope import (
    MAX_BYTES,
    EnvelopeError,
    Flaw,
    PayloadType,
    peek,
    pre_authentication_encoding,
    sign,
    verify,
)
from contract.key import SigningKey

ALICE, BOB, MALLORY = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
TRUSTED = {key.public.id: key.public for key in (ALICE, BOB)}
ORDERS = frozenset({PayloadType.ORDER, PayloadType.PING})
PAYLOAD = b'{"host":"web1"}'
LETTER = sign(PayloadType.ORDER, PAYLOAD, [ALICE])

Tree = dict[str, Any]


def flaw_of(letter: bytes) -> Flaw:
    """The flaw for which a letter is refused; fails if it is believed."""
    with pytest.raises(EnvelopeError) as caught:
        verify(letter, TRUSTED, ORDERS)
    return caught.value.flaw


def spelt(tree: object) -> bytes:
    """A tree in the spelling that envelopes have."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()


def opened() -> Tree:
    return dict(json.loads(LETTER))


def test_pae_is_that_of_the_specification_s_example() -> None:
    found = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert found == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_pae_of_different_letters_is_never_the_same() -> None:
    """Lengths stand before the parts, so none can lend another its bytes."""
    pairs = [("a", b"b c"), ("a b", b"c"), ("a 3 b", b"c"), ("", b"a b c"), ("é", b""), ("", b"")]
    assert len({pre_authentication_encoding(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("payload", [b"", b"{}", bytes(range(256)), b"x" * 100_000], ids=len)
def test_letter_that_was_signed_is_verified_with_its_exact_bytes(payload: bytes) -> None:
    verified = verify(sign(PayloadType.PING, payload, [ALICE, BOB]), TRUSTED, ORDERS)
    assert (verified.type, verified.payload) == (PayloadType.PING, payload)
    assert verified.key_ids == {ALICE.public.id, BOB.public.id}


def test_letter_signed_twice_is_the_same_to_the_byte() -> None:
    """Ed25519 and the spelling are deterministic: republishing changes no digest."""
    assert sign(PayloadType.ORDER, PAYLOAD, [ALICE]) == LETTER


def test_letter_peeked_into_shows_what_it_holds_without_keys() -> None:
    assert peek(LETTER) == (PayloadType.ORDER, PAYLOAD)
    with pytest.raises(EnvelopeError):
        peek(LETTER[:-1])


def with_signature(**members: object) -> Tree:
    tree = opened()
    tree["signatures"][0] |= members
    return tree


def without(name: str) -> Tree:
    tree = opened()
    del tree[name]
    return tree


SIGNATURE = opened()["signatures"][0]
SIG = SIGNATURE["sig"]
OTHER = json.loads(sign(PayloadType.ORDER, b"{}", [ALICE]))
BOTH = dict(json.loads(sign(PayloadType.ORDER, PAYLOAD, [ALICE, BOB])))
NINE = [SigningKey.generate() for _ in range(9)]


def mallory_as_alice() -> Tree:
    tree = dict(json.loads(sign(PayloadType.ORDER, PAYLOAD, [MALLORY])))
    tree["signatures"][0]["keyid"] = ALICE.public.id
    return tree


FORGERIES: dict[str, tuple[Flaw, Callable[[], object]]] = {
    "another payload": (
        Flaw.BAD_SIGNATURE,
        lambda: opened() | {"payload": OTHER["payload"]},
    ),
    "another type": (
        Flaw.BAD_SIGNATURE,
        lambda: opened() | {"payloadType": PayloadType.PING},
    ),
    "a type not wanted": (
        Flaw.WRONG_TYPE,
        lambda: opened() | {"payloadType": PayloadType.REPORT},
    ),
    "a type unknown": (Flaw.WRONG_TYPE, lambda: opened() | {"payloadType": "order"}),
    "a type that is none": (Flaw.MALFORMED, lambda: opened() | {"payloadType": None}),
    "a list as type": (Flaw.MALFORMED, lambda: opened() | {"payloadType": ["order"]}),
    "a stranger's key": (
        Flaw.UNKNOWN_KEY,
        lambda: json.loads(sign(PayloadType.ORDER, PAYLOAD, [MALLORY])),
    ),
    "a stranger as Alice": (Flaw.BAD_SIGNATURE, mallory_as_alice),
    "Bob's key id": (Flaw.BAD_SIGNATURE, lambda: with_signature(keyid=BOB.public.id)),
    "another letter's signature": (
        Flaw.BAD_SIGNATURE,
        lambda: opened() | {"signatures": OTHER["signatures"]},
    ),
    "a good and a strange signature": (
        Flaw.UNKNOWN_KEY,
        lambda: json.loads(sign(PayloadType.ORDER, PAYLOAD, [ALICE, MALLORY])),
    ),
    "a good and a bad signature": (
        Flaw.BAD_SIGNATURE,
        lambda: BOTH | {"signatures": [one | {"sig": SIG} for one in BOTH["signatures"]]},
    ),
    "one signature twice": (
        Flaw.MALFORMED,
        lambda: opened() | {"signatures": [SIGNATURE, SIGNATURE]},
    ),
    "two signatures in another sequence": (
        Flaw.MALFORMED,
        lambda: BOTH | {"signatures": BOTH["signatures"][::-1]},
    ),
    "nine signatures": (
        Flaw.MALFORMED,
        lambda: json.loads(sign(PayloadType.ORDER, PAYLOAD, NINE)),
    ),
    "no signature": (Flaw.MALFORMED, lambda: opened() | {"signatures": []}),
    "signatures of no kind": (Flaw.MALFORMED, lambda: opened() | {"signatures": SIGNATURE}),
    "a signature of no kind": (Flaw.MALFORMED, lambda: opened() | {"signatures": [SIG]}),
    "no payload": (Flaw.MALFORMED, lambda: without("payload")),
    "no type": (Flaw.MALFORMED, lambda: without("payloadType")),
    "no signatures": (Flaw.MALFORMED, lambda: without("signatures")),
    "a member more": (Flaw.MALFORMED, lambda: opened() | {"alg": "none"}),
    "a signature's member more": (Flaw.MALFORMED, lambda: with_signature(alg="none")),
    "a number as payload": (Flaw.MALFORMED, lambda: opened() | {"payload": 5}),
    "a float": (Flaw.MALFORMED, lambda: opened() | {"payload": 1.5}),
    "no number": (Flaw.MALFORMED, lambda: opened() | {"payload": float("nan")}),
    "an empty signature": (Flaw.MALFORMED, lambda: with_signature(sig="")),
    "a short signature": (Flaw.MALFORMED, lambda: with_signature(sig=SIG[:84])),
    "a long signature": (Flaw.MALFORMED, lambda: with_signature(sig="AAAA" + SIG)),
    "a second base64": (Flaw.MALFORMED, lambda: with_signature(sig=respelt_base64(SIG))),
    "unpadded base64": (Flaw.MALFORMED, lambda: with_signature(sig=SIG.rstrip("="))),
    "base64 with a line break": (Flaw.MALFORMED, lambda: with_signature(sig=SIG + "\n")),
    "base64 for URLs": (
        Flaw.MALFORMED,
        lambda: opened() | {"payload": base64.urlsafe_b64encode(b"\xff" * 6).decode()},
    ),
    "base64 in other letters": (Flaw.MALFORMED, lambda: opened() | {"payload": "é" * 4}),
    "a key id too short": (Flaw.MALFORMED, lambda: with_signature(keyid="a")),
    "a key id in capitals": (
        Flaw.MALFORMED,
        lambda: with_signature(keyid=f"A{ALICE.public.id[1:]}"),
    ),
    "a key id of half letters": (Flaw.MALFORMED, lambda: with_signature(keyid="\ud800" * 32)),
    "a key id of escapes": (Flaw.MALFORMED, lambda: with_signature(keyid="\x1b" * 32)),
    "a number as key id": (Flaw.MALFORMED, lambda: with_signature(keyid=32)),
    "a list": (Flaw.MALFORMED, lambda: [opened()]),
    "nothing": (Flaw.MALFORMED, lambda: None),
}


def respelt_base64(text: str) -> str:
    """The same bytes with other spare bits: 64 bytes leave four of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(text[85]) ^ 1]
    return f"{text[:85]}{last}=="


@pytest.mark.parametrize("forgery", FORGERIES)
def test_letter_forged_is_refused_with_its_flaw(forgery: str) -> None:
    flaw, forge = FORGERIES[forgery]
    assert flaw_of(spelt(forge())) is flaw


def test_base64_respelt_is_really_the_same_bytes() -> None:
    assert base64.b64decode(respelt_base64(SIG)) == base64.b64decode(SIG)


RAW = {
    "nothing": b"",
    "no JSON": b"letter",
    "no UTF-8": LETTER.replace(b'"payload"', b'"payl\xff\xfe"'),
    "a byte order mark": b"\xef\xbb\xbf" + LETTER,
    "UTF-16": LETTER.decode().encode("utf-16"),
    "something behind": LETTER + b"x",
    "a second letter behind": LETTER + LETTER,
    "a blank before": b" " + LETTER,
    "a line break behind": LETTER + b"\n",
    "a blank within": LETTER.replace(b",", b", ", 1),
    "members in another order": json.dumps(
        dict(reversed(opened().items())), separators=(",", ":")
    ).encode(),
    "a letter as an escape": LETTER.replace(b"payloadType", b"p\\u0061yloadType", 1),
    "a slash as an escape": LETTER.replace(b"application/", b"application\\/", 1),
    "a duplicate member": b'{"payload":"e30=",' + LETTER[1:],
    "the same member twice": b'{"payload":"%b",' % opened()["payload"].encode() + LETTER[1:],
    "a duplicate in a signature": LETTER.replace(b'"keyid":', b'"keyid":"a","keyid":', 1),
    "brackets without end": b"[" * 200_000,
    "members without end": b'{"a":' * 40_000,
    "a number without end": b"9" * 200_000,
    "a deep payload": b'{"payload":'
    + b"[" * 900
    + b"]" * 900
    + LETTER[LETTER.index(b',"payloadT') :],
}


@pytest.mark.parametrize("what", RAW)
def test_letter_in_any_but_its_one_spelling_is_refused(what: str) -> None:
    """A broker that respells a letter would give it a second digest, and so a second life."""
    assert flaw_of(RAW[what]) is Flaw.MALFORMED


def test_letter_that_is_too_large_is_refused_before_it_is_read() -> None:
    room = MAX_BYTES - len(sign(PayloadType.ORDER, b"", [ALICE]))
    fits = sign(PayloadType.ORDER, b"x" * (room // 4 * 3), [ALICE])
    assert verify(fits, TRUSTED, ORDERS).payload
    assert flaw_of(sign(PayloadType.ORDER, b"x" * (room // 4 * 3 + 3), [ALICE])) is Flaw.TOO_LARGE
    assert flaw_of(b"\xff" * (MAX_BYTES + 1)) is Flaw.TOO_LARGE


def test_every_flaw_is_provoked_by_some_forgery() -> None:
    assert {flaw for flaw, _ in FORGERIES.values()} | {Flaw.TOO_LARGE} == set(Flaw)


def test_refusal_shows_nothing_of_the_letter_but_hexadecimal_digits() -> None:
    """A hostile key id or type can forge no line of a log and break no report."""
    for _, forge in FORGERIES.values():
        with pytest.raises(EnvelopeError) as caught:
            verify(spelt(forge()), TRUSTED, ORDERS)
        assert str(caught.value).isascii()
        assert str(caught.value).isprintable()
