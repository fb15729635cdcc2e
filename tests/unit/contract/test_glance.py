"""A glance at a letter: names keys, believes nothing, fails at nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import MAX_BYTES, PayloadType, open_envelope, sign
from contract.glance import said_signers
from contract.key import SigningKey

KEYS = [SigningKey.generate() for _ in range(9)]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_glance_at_a_letter_names_those_who_signed_it(count: int) -> None:
    letter = sign(PayloadType.REPORT, b"{}", KEYS[:count])
    assert said_signers(letter) == open_envelope(letter).signers


@pytest.mark.parametrize(
    "letter",
    [
        b"",
        b"null",
        b'{"signatures":[{"keyid":5}]}',
        b'{"signatures":[{"keyid":"%s"}]}' % (b"a" * 33),
        b'{"signatures":[{"keyid":"\xff"}]}',
        sign(PayloadType.REPORT, b"{}", KEYS),
        b" " * MAX_BYTES + b'{"signatures":[{"keyid":"a"}]}',
    ],
    ids=["nothing", "null", "number", "long", "no UTF-8", "too many", "too large"],
)
def test_glance_at_no_letter_names_nobody(letter: bytes) -> None:
    """Nobody looks for thousands of keys because a letter names them."""
    assert said_signers(letter) == []


@given(st.binary(max_size=200))
def test_glance_at_any_bytes_fails_at_nothing(letter: bytes) -> None:
    assert said_signers(letter) == []
