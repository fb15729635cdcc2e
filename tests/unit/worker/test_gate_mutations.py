"""The gate under random attack: what is believed is what was signed, and nothing ever crashes."""

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.envelope import PayloadType, sign
from contract.order import Order, encode, letter_digest
from tests.unit.worker.letters import (
    ALICE,
    BEAT,
    NOW,
    OTHER_RUN_ID,
    RECORDER,
    RUN_ID,
    RUNBOOK,
    Remembered,
    acknowledgement,
    cancel,
    gate,
    letter,
    order,
    ping,
    sealed,
)
from worker.verdict import Accepted, Reason, Refused, Repeated

SCHEDULED = {"run_id": OTHER_RUN_ID, "operator": "beat", "via": "beat", "check": True}
VALID = [
    letter(order(sealed_params=sealed())),
    letter(order(**SCHEDULED, runbook_yaml=f"unattended: true\n{RUNBOOK}"), BEAT),
    letter(cancel()),
    letter(ping()),
    letter(acknowledgement(), RECORDER),
]


def judged(blob: bytes) -> object:
    """The verdict, or None when refused; anything else raised fails the test."""
    try:
        return gate().judge(blob, NOW, Remembered())
    except Refused as refused:
        assert refused.reason in Reason  # noqa: PT017
        return None


@settings(max_examples=600)
@given(st.sampled_from(VALID), st.data())
def test_letter_mutated_anyhow_is_never_believed(blob: bytes, data: st.DataObject) -> None:
    """Bits turned, bytes put in, taken out or copied: only the very bytes signed are believed."""
    mutated = bytearray(blob)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(len(mutated) - 1, 0)))
        piece = data.draw(st.sampled_from([b"", b" ", b'"', b"A", b"=", b"\0", bytes(mutated[:9])]))
        mutated[at : at + data.draw(st.integers(0, 2))] = piece
    assert (judged(bytes(mutated)) is not None) == (bytes(mutated) in VALID)


members = st.sampled_from([field.name for field in msgspec.structs.fields(Order)])
values = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**60)
    | st.sampled_from(["web1", "alice", "", "a" * 64, RUN_ID, RUNBOOK, "\n"])
    | st.dictionaries(st.sampled_from(["key", "force", "x"]), st.booleans() | st.text(max_size=9))
)


@settings(max_examples=300)
@given(st.dictionaries(members, values, min_size=1, max_size=3))
def test_order_signed_by_a_person_with_any_content_is_taken_as_it_is_or_refused(
    changes: dict[str, object],
) -> None:
    """Even a trusted signer's rubbish gives a verdict or a named refusal, never a crash."""
    payload = json.dumps(json.loads(encode(order())) | changes).encode()
    verdict = judged(sign(PayloadType.ORDER, payload, [ALICE]))
    assert verdict is None or isinstance(verdict, Accepted)
    if isinstance(verdict, Accepted):
        assert json.loads(encode(verdict.order)) == json.loads(payload)


lines = RUNBOOK.splitlines(keepends=True)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*lines, "  x: '(' \n", "- a\n"]), max_size=14), st.integers(0, 300)
)
def test_runbook_shuffled_in_a_signed_order_is_refused_or_loads(
    shuffled: list[str], cut: int
) -> None:
    text = "".join(shuffled) or RUNBOOK[:cut] + RUNBOOK[cut + 1 :]
    verdict = judged(letter(order(runbook_yaml=text)))
    assert verdict is None or isinstance(verdict, Accepted)


@settings(max_examples=100)
@given(st.permutations(VALID[:2] * 2))
def test_orders_in_any_sequence_and_number_are_accepted_once_each(blobs: list[bytes]) -> None:
    """Reordering and repeating letters gains a broker nothing."""
    memory, accepted = Remembered(), []
    for blob in blobs:
        match gate().judge(blob, NOW, memory):
            case Accepted(order=found):
                accepted.append(found.run_id)
                memory.digests[found.run_id] = letter_digest(blob)
            case Repeated(run_id):
                assert run_id in accepted
    assert sorted(accepted) == sorted([RUN_ID, OTHER_RUN_ID])
