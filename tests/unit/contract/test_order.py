"""Messages: closed shapes, canonical bytes, and MessageError for all else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.order import (
    Acknowledgement,
    Message,
    MessageError,
    Order,
    Ping,
    decode,
    encode,
    letter_digest,
)
from contract.outcome import HostRunState, StepOutcome
from contract.report import Footing, PassReport, Pong, Receipt, Refusal, Report, StepReport

RUN_ID, DIGEST, NONCE = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "a" * 64, "b" * 32
ORDER = Order(
    host="web1",
    epoch=1,
    keyring=1,
    run_id=RUN_ID,
    runbook="restart",
    runbook_sha256=DIGEST,
    runbook_yaml="name: restart",
    params={"workspace": "x", "n": 1, "force": True},
    sealed_params={"key": "AAAA"},
    check=False,
    operator="alice",
    via="cli",
    reason="",
    issued_at=1,
    not_before=1,
    expires_at=2,
    nonce=NONCE,
)
STEP = StepReport(name="s", outcome=StepOutcome.OK, evidence={"a.running": True})
MESSAGES: list[Message] = [
    ORDER,
    Ping(host="web1", epoch=1, operator="alice", nonce=NONCE, issued_at=1, expires_at=2),
    Acknowledgement(host="web1", epoch=1, digests=[DIGEST], at=1),
    Receipt(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=RUN_ID,
        order_sha256=DIGEST,
        state=HostRunState.RUNNING,
        at=1,
    ),
    Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=RUN_ID,
        order_sha256=DIGEST,
        counter=1,
        state=HostRunState.SUCCEEDED,
        outcome=StepOutcome.OK,
        check=False,
        accepted_at=1,
        started_at=None,
        ended_at=2,
        passes=[PassReport(steps=[STEP])],
    ),
    Refusal(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=None,
        letter_sha256=DIGEST,
        reason="expired",
        detail="x",
        at=1,
    ),
    Pong(host="web1", epoch=1, keyring=1, nonce=NONCE, at=1, waiting=0, worker="0.1.0"),
    Footing(host="web1", epoch=1, keyring=1, admission_at=1, at=1),
]
every_message = pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)


def refused(payload: bytes, kind: type[msgspec.Struct]) -> str:
    with pytest.raises(MessageError) as caught:
        decode(payload, kind)
    return str(caught.value)


@every_message
def test_message_encoded_and_decoded_is_the_same(message: Message) -> None:
    assert decode(encode(message), type(message)) == message


@every_message
def test_message_is_encoded_canonically(message: Message) -> None:
    """Sorted names, no blanks, and the same bytes every time: digests depend on it."""
    payload = encode(message)
    again = json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"))
    assert payload == encode(decode(payload, type(message))) == again.encode()


def test_order_written_in_another_sequence_is_encoded_alike() -> None:
    params = dict(reversed(ORDER.params.items()))
    assert encode(msgspec.structs.replace(ORDER, params=params)) == encode(ORDER)


@every_message
def test_message_with_an_unknown_member_is_refused(message: Message) -> None:
    tree = json.loads(encode(message)) | {"extra": 1}
    assert "unknown field `extra`" in refused(json.dumps(tree).encode(), type(message))


@every_message
def test_message_without_a_required_member_is_refused(message: Message) -> None:
    tree = json.loads(encode(message))
    for field in msgspec.structs.fields(type(message)):
        if field.required:
            rest = {name: value for name, value in tree.items() if name != field.name}
            found = refused(json.dumps(rest).encode(), type(message))
            assert f"missing required field `{field.name}`" in found


@every_message
def test_message_with_a_member_of_a_wrong_type_is_refused(message: Message) -> None:
    """No member takes an object that holds a list, a float, or a number far too large."""
    tree = json.loads(encode(message))
    for name in tree:
        for wrong in ([{"a": [1.5]}], 1.5, 2**63, 10**400, -1.0):
            refused(json.dumps(tree | {name: wrong}).encode(), type(message))


def altered(**members: Any) -> str:
    return refused(json.dumps(json.loads(encode(ORDER)) | members).encode(), Order)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", 0),
        ("v", 1001),
        ("v", True),
        ("v", "1"),
        ("host", ""),
        ("host", "x" * 201),
        ("run_id", RUN_ID.lower()),
        ("run_id", RUN_ID[:-1]),
        ("run_id", RUN_ID + "\n"),
        ("run_id", "../" + RUN_ID[3:]),
        ("run_id", "I" + RUN_ID[1:]),
        ("runbook_sha256", DIGEST.upper()),
        ("runbook_sha256", DIGEST + "\n"),
        ("runbook_yaml", "x" * 65_537),
        ("nonce", NONCE[:-1]),
        ("nonce", NONCE + "\n"),
        ("via", "web"),
        ("via", "cli\n"),
        ("check", 1),
        ("check", None),
        ("params", {"n": 1.5}),
        ("params", {"n": None}),
        ("params", {"n": ["a"]}),
        ("params", {"": 1}),
        ("params", {"n": 2**53 + 1}),
        ("sealed_params", {"k": 5}),
        ("reason", "x" * 2001),
        ("issued_at", -1),
        ("expires_at", 253_402_300_799_001),
        ("expires_at", "1"),
        ("operator", ""),
    ],
)
def test_order_with_a_member_out_of_bounds_is_refused(member: str, value: object) -> None:
    """Neither an odd number nor a line break at the end of an id gets through."""
    assert member in altered(**{member: value})


def test_acknowledgement_of_too_many_letters_is_refused() -> None:
    many = {"v": 1, "host": "web1", "digests": [DIGEST] * 1001, "at": 1}
    assert "length <= 1000" in refused(json.dumps(many).encode(), Acknowledgement)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"host":"\xff"}',
        b'{"host":"\\ud800"}',
        b'{"v":' + b"9" * 5000 + b"}",
        b'{"v":' + b"[" * 100_000,
        b'{"params":' + b'{"a":' * 50_000,
        b"NaN",
        b'{"v":1e999}',
    ],
    ids=range(10),
)
def test_payload_that_is_no_message_is_refused_and_nothing_else_raised(payload: bytes) -> None:
    for message in MESSAGES:
        refused(payload, type(message))


@given(st.integers(0, len(encode(ORDER)) - 1), st.integers(0, 255))
def test_order_with_any_byte_changed_is_refused_or_reads_differently(at: int, byte: int) -> None:
    payload = bytearray(encode(ORDER))
    changed = payload[at] != byte
    payload[at] = byte
    try:
        assert (decode(bytes(payload), Order) == ORDER) is not changed
    except MessageError:
        assert changed


def test_digest_of_a_letter_is_that_of_its_exact_bytes() -> None:
    assert letter_digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert letter_digest(b"a") != letter_digest(b"a ")
