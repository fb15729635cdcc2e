"""Attacks by the thousand: whatever is done to a letter's bytes, nothing new is believed."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.envelope import EnvelopeError, PayloadType, Verified, peek, sign, verify
from contract.key import SigningKey

ALICE, BOB = SigningKey.generate(), SigningKey.generate()
TRUSTED = {key.public.id: key.public for key in (ALICE, BOB)}
TYPES = frozenset(PayloadType)
LETTERS = [
    sign(PayloadType.ORDER, b'{"host":"web1"}', [ALICE]),
    sign(PayloadType.ORDER, b'{"host":"web1"}', [ALICE, BOB]),
    sign(PayloadType.REPORT, b'{"host":"web1"}', [BOB]),
    sign(PayloadType.PING, b"", [ALICE]),
]


def believed(letter: bytes) -> Verified | None:
    """What is believed of a letter; anything but an EnvelopeError fails the test."""
    try:
        return verify(letter, TRUSTED, TYPES)
    except EnvelopeError:
        return None


def test_letters_untouched_are_all_believed() -> None:
    assert all(believed(letter) for letter in LETTERS)


@pytest.mark.parametrize("letter", LETTERS, ids=range(len(LETTERS)))
def test_letter_with_any_single_bit_turned_is_refused(letter: bytes) -> None:
    """Every bit of the letter counts: type, payload, key id, signature and spelling."""
    for position in range(len(letter)):
        for bit in range(8):
            forged = bytearray(letter)
            forged[position] ^= 1 << bit
            assert believed(bytes(forged)) is None


@pytest.mark.parametrize("letter", LETTERS, ids=range(len(LETTERS)))
def test_letter_cut_anywhere_is_refused(letter: bytes) -> None:
    for end in range(len(letter)):
        assert believed(letter[:end]) is None
        assert believed(letter[end + 1 :]) is None


edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "replace", "copy"]),
        st.integers(0, 600),
        st.integers(0, 40),
        st.binary(max_size=4) | st.sampled_from([b" ", b"\n", b'"', b",", b"}", b"=", b"\\u0041"]),
    ),
    min_size=1,
    max_size=5,
)


def edited(letter: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    for what, at, length, new in changes:
        start = at % (len(letter) + 1)
        end = start + length
        middle = {"insert": new + letter[start:end], "delete": b"", "replace": new}.get(
            what, letter[start:end] * 2
        )
        letter = letter[:start] + middle + letter[end:]
    return letter


@settings(max_examples=1500)
@given(st.sampled_from(LETTERS), edits)
def test_letter_edited_at_random_is_refused(
    letter: bytes, changes: list[tuple[str, int, int, bytes]]
) -> None:
    """Only the very bytes that were signed are believed."""
    forged = edited(letter, changes)
    assert forged in LETTERS or believed(forged) is None


parts = st.sampled_from(LETTERS).map(json.loads)


@settings(max_examples=500)
@given(parts, parts, parts)
def test_letter_put_together_from_others_is_refused_or_one_of_them(
    payload: Any, kind: Any, signatures: Any
) -> None:
    """Payload, type and signatures of different letters never make a new one."""
    tree = payload | {"payloadType": kind["payloadType"], "signatures": signatures["signatures"]}
    forged = json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()
    assert forged in LETTERS or believed(forged) is None


def test_letter_of_two_signatures_with_one_taken_away_names_only_the_other() -> None:
    """Thresholds count key ids: whoever takes a signature away has one fewer."""
    tree = json.loads(LETTERS[1])
    for kept in tree["signatures"]:
        forged = json.dumps(
            tree | {"signatures": [kept]}, sort_keys=True, separators=(",", ":")
        ).encode()
        verified = believed(forged)
        assert verified is None or verified.key_ids == {kept["keyid"]}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
json_trees = st.recursive(
    scalars,
    lambda child: (
        st.lists(child, max_size=3)
        | st.dictionaries(
            st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig", "x"]), child
        )
    ),
    max_leaves=8,
)


@settings(max_examples=500)
@given(
    st.sampled_from(LETTERS), st.sampled_from(["payload", "payloadType", "signatures"]), json_trees
)
def test_letter_with_a_member_of_any_other_type_is_refused(
    letter: bytes, member: str, value: object
) -> None:
    tree = json.loads(letter)
    forged = json.dumps(tree | {member: value}, sort_keys=True, separators=(",", ":")).encode()
    assert forged == letter or believed(forged) is None


@settings(max_examples=500)
@given(st.binary(max_size=300) | json_trees.map(lambda tree: json.dumps(tree).encode()))
@example(b"\x80")
@example(b'{"payload":"\\ud800","payloadType":"\\ud800","signatures":[]}')
def test_bytes_of_any_kind_raise_nothing_but_an_envelope_error(data: bytes) -> None:
    assert believed(data) is None
    with pytest.raises(EnvelopeError):
        peek(data)
