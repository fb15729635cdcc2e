"""Captured output: bounded, true to its length and digest, and without secrets at any cut."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.capture import SIDE_BYTES, Capture, Captured
from worker.redaction import MASK, Redactor


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, SIDE_BYTES)), max_size=8))
def test_add_any_chunks_keeps_both_ends_and_counts_all(chunks: list[tuple[int, int]]) -> None:
    """However a stream is cut, its ends, length and digest are those of the whole."""
    capture, whole = Capture(), b""
    for value, length in chunks:
        capture.add(bytes([value]) * length)
        whole += bytes([value]) * length
    captured = capture.captured()
    assert captured.head == whole[:SIDE_BYTES]
    assert captured.tail == whole[SIDE_BYTES:][-SIDE_BYTES:]
    assert captured.bytes == len(whole)
    assert captured.sha256 == hashlib.sha256(whole).hexdigest()
    assert captured.left_out == max(len(whole) - 2 * SIDE_BYTES, 0)


def test_text_of_a_stream_too_long_says_how_much_is_missing() -> None:
    capture = Capture()
    capture.add(b"a" * SIDE_BYTES + b"x" * 10 + b"b" * SIDE_BYTES)
    text = capture.captured().text
    assert text.startswith("aaa")
    assert "[... 10 bytes left out ...]" in text
    assert text.endswith("bbb")


def test_text_of_no_utf8_is_escaped() -> None:
    capture = Capture()
    capture.add(b"caf\xc3\xa9 \xff")
    assert capture.captured().text == "café \\xff"


@pytest.mark.parametrize("shift", range(1, 16))
def test_secret_at_the_cut_of_a_long_stream_leaves_no_piece(shift: int) -> None:
    """The secret lies across the end of the head and across the beginning of the tail."""
    secret, rest = b"hunter2-hunter3!", b"x" * SIDE_BYTES
    capture = Capture(Redactor([secret.decode()]).forms)
    for chunk in (b"a" * (SIDE_BYTES - shift), secret[:5], secret[5:], rest, secret):
        capture.add(chunk)
    capture.add(b"b" * (SIDE_BYTES - len(MASK) + shift % len(MASK)))
    captured = capture.captured()
    assert captured.left_out > 0
    assert set(captured.head + captured.tail) <= set(MASK.encode() + b"abx")
    assert captured.bytes == 3 * SIDE_BYTES + 32 - shift - len(MASK) + shift % len(MASK)


def test_discarded_output_tells_only_how_much_it_was() -> None:
    capture = Capture()
    capture.add(b"not for anybody")
    assert capture.captured().discarded() == Captured(bytes=15, left_out=15, sha256="")
