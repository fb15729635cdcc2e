"""Captured output: bounded, and true to its length and digest."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from worker.capture import SIDE_BYTES, Capture


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
    assert captured.is_whole == (len(whole) <= 2 * SIDE_BYTES)


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
