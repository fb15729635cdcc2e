"""The word of presence: bounded in size and shape, whatever somebody puts in its place."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.presence import (
    MAX_WORD,
    PresenceError,
    PresenceWord,
    decode_word,
    encode_word,
    is_question,
)

WORD = PresenceWord(
    host="web1", nonce="0f" * 16, at=1, worker="0.1.0", inbox=0, outbox=0, taking=True
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def test_word_is_read_as_it_was_written() -> None:
    assert decode_word(encode_word(WORD).decode()) == WORD


@given(st.sampled_from(WORD.__struct_fields__), JSON)
def test_word_with_another_member_is_read_within_bounds_or_refused(name: str, value: Any) -> None:
    members = json.loads(encode_word(WORD)) | {name: value}
    with contextlib.suppress(PresenceError):
        word = decode_word(json.dumps(members))
        assert len(word.worker) <= 50
        assert 0 <= word.inbox <= 1_000_000


@given(st.text() | st.binary().map(repr))
def test_any_text_is_refused_with_an_error_of_ours(text: str) -> None:
    with pytest.raises(PresenceError):
        decode_word(text)


@pytest.mark.parametrize("text", ["x" * (MAX_WORD + 1), "[" * MAX_WORD, "\ud800", "{}"])
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(PresenceError):
        decode_word(text)


@pytest.mark.parametrize("text", ["", "f" * 31, "F" * 32, "f" * 33, "f" * 32 + "\n"])
def test_what_is_no_nonce_is_no_question(text: str) -> None:
    assert not is_question(text)
    assert is_question("f" * 32)
