"""Frames of AMQP: of a hostile message only the type is read, and so much of its content."""

import struct
from typing import Any

import pytest
from amqp import Message, spec
from hypothesis import given
from hypothesis import strategies as st

from contract.amqp_frame import Plain, bounded_handler
from contract.essence import MAX_FETCHED
from contract.names import DELIVER_TASK

DELIVER = struct.pack(">HH", *spec.Basic.Deliver)
CLASS = 60


def take(*frames: tuple[int, bytes]) -> list[Any]:
    """Return the messages that py-amqp makes of frames."""
    found: list[Any] = []
    handle = bounded_handler(
        type("Connection", (), {"bytes_recv": 0})(),
        lambda _channel, _method, _arguments, message: found.append(message),
    )
    handle((1, 1, DELIVER))
    for kind, content in frames:
        handle((kind, 1, content))
    return found


def header(size: int, properties: bytes) -> bytes:
    return struct.pack(">HxxQ", CLASS, size) + properties


def properties_of(**properties: Any) -> bytes:
    message: Any = Message(b"", **properties)
    return bytes(message._serialize_properties())


def test_type_is_found_behind_every_other_property() -> None:
    """What stands before it is stepped over unread; nothing but the type comes through."""
    whole = properties_of(
        content_type="application/x-python-serialize",
        content_encoding="bz2",
        application_headers={"compression": "gzip", "timelimit": [1, 1], "CC": ["host.web2"]},
        delivery_mode=2,
        priority=9,
        correlation_id="c",
        reply_to="host.web2",
        expiration="1",
        message_id="forged\nline",
        timestamp=2**62,
        type=DELIVER_TASK,
        user_id="u",
        app_id="a",
        cluster_id="c",
    )
    (message,) = take((2, header(3, whole)), (3, b"abc"))
    assert message.properties == {"type": DELIVER_TASK}
    assert message.body == b"abc"


def nested(depth: int) -> bytes:
    """Return properties whose headers are arrays within arrays."""
    table = b""
    for _ in range(depth):
        table = b"A" + struct.pack(">I", len(table)) + table
    table = b"\1x" + table
    return struct.pack(">H", 1 << 13 | 1 << 5) + struct.pack(">I", len(table)) + table + b"\1t"


def test_headers_nested_without_end_are_not_read() -> None:
    """py-amqp alone would end with a RecursionError, and find the message again after it."""
    (message,) = take((2, header(0, nested(20_000))))
    assert message.properties == {"type": "t"}


def test_message_too_large_is_dropped_as_it_comes() -> None:
    """It arrives without content, its content is thrown away, and the next message is whole."""
    piece = b"x" * 100_000
    pieces = MAX_FETCHED // len(piece) + 1
    size = pieces * len(piece)
    right = (2, header(1, properties_of(type=DELIVER_TASK)))
    frames = [(2, right[1][:4] + struct.pack(">Q", size) + right[1][12:]), *[(3, piece)] * pieces]
    first, second = take(*frames, (1, DELIVER), right, (3, b"y"))
    assert (first.body, first.properties) == ("", {})
    assert (second.body, second.properties) == (b"y", {"type": DELIVER_TASK})


@given(st.binary(max_size=60))
def test_properties_of_any_bytes_are_a_type_or_none(properties: bytes) -> None:
    (message,) = take((2, header(0, properties)))
    assert set(message.properties) <= {"type"}


@given(st.sampled_from(range(14)), st.binary(max_size=8))
def test_properties_cut_short_have_no_type(bit: int, rest: bytes) -> None:
    take((2, header(0, struct.pack(">H", 1 << 15 - bit) + rest)))


def test_frame_larger_than_any_message_ends_the_connection() -> None:
    transport = Plain("127.0.0.1:1")
    with pytest.raises(OSError, match="unread"):
        transport._read(MAX_FETCHED + 1)
