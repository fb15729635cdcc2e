"""Tombstones at the gate: who may take an order back, which one, and for how long."""

from collections.abc import Callable

import pytest

from contract.envelope import PayloadType, sign
from contract.order import MAX_CANCEL_LIFE_MS, encode
from tests.unit.worker.letters import (
    ALICE,
    BEAT,
    BOB,
    DAY,
    HOST_KEY,
    MALLORY,
    MINUTE,
    NOW,
    OTHER_RUN_ID,
    RECORDER,
    RUN_ID,
    Remembered,
    cancel,
    gate,
    letter,
    order,
)
from worker.policy import Policy
from worker.verdict import Reason, Refused, TakenBack

R = Reason
ORDERED, ANOTHER = "a" * 64, "b" * 64

ATTACKS: dict[str, tuple[Reason, Callable[[], bytes]]] = {
    "a cancel signed by a stranger": (R.UNKNOWN_KEY, lambda: letter(cancel(), MALLORY)),
    "a cancel signed by the host itself": (R.UNKNOWN_KEY, lambda: letter(cancel(), HOST_KEY)),
    "a cancel that was altered": (
        R.BAD_SIGNATURE,
        lambda: letter(cancel()).replace(
            letter(cancel())[-60:-50], letter(cancel(kill=True))[-60:-50]
        ),
    ),
    "a cancel under two signatures": (
        R.MALFORMED,
        lambda: sign(PayloadType.CANCEL, encode(cancel()), [ALICE, BOB]),
    ),
    "a cancel by the schedules' key": (
        R.WRONG_ROLE,
        lambda: letter(cancel(operator="beat"), BEAT),
    ),
    "a cancel by the recorder's key": (
        R.WRONG_ROLE,
        lambda: letter(cancel(operator="recorder"), RECORDER),
    ),
    "a cancel in another's name": (R.WRONG_OPERATOR, lambda: letter(cancel(), BOB)),
    "a cancel that is really an order": (
        R.MALFORMED,
        lambda: sign(PayloadType.CANCEL, encode(order()), [ALICE]),
    ),
    "an order that is really a cancel": (
        R.MALFORMED,
        lambda: sign(PayloadType.ORDER, encode(cancel()), [ALICE]),
    ),
    "a cancel of another protocol": (R.UNSUPPORTED_VERSION, lambda: letter(cancel(v=2))),
    "a cancel for another host": (R.WRONG_HOST, lambda: letter(cancel(host="web2"))),
    "a cancel from the future": (
        R.FROM_THE_FUTURE,
        lambda: letter(cancel(issued_at=NOW + MINUTE + 1)),
    ),
    "a cancel held back until it expired": (R.EXPIRED, lambda: letter(cancel(expires_at=NOW))),
    "a cancel good for years": (
        R.LIVES_TOO_LONG,
        lambda: letter(cancel(expires_at=NOW + MAX_CANCEL_LIFE_MS + 1)),
    ),
    "a cancel of an order from before the ledger": (
        R.OLDER_THAN_LEDGER,
        lambda: letter(cancel(ordered_at=NOW - DAY - 1)),
    ),
}


def reason_of(blob: bytes, memory: Remembered) -> Refused:
    with pytest.raises(Refused) as caught:
        gate().judge(blob, NOW, memory)
    return caught.value


@pytest.mark.parametrize("attack", ATTACKS)
def test_cancel_attack_is_refused_for_the_reason_that_names_it(attack: str) -> None:
    reason, forge = ATTACKS[attack]
    assert reason_of(forge(), Remembered()).reason is reason


@pytest.mark.parametrize(
    "memory",
    [Remembered(digests={RUN_ID: ANOTHER}), Remembered(cancelled={RUN_ID: ANOTHER})],
    ids=["accepted", "cancelled"],
)
def test_cancel_of_another_order_with_this_run_id_is_refused(memory: Remembered) -> None:
    assert reason_of(letter(cancel()), memory).reason is R.RUN_ID_REUSED


def test_cancel_replayed_after_the_order_was_forgotten_is_refused() -> None:
    """A host that forgot how an order ended may not sign that it never began."""
    memory = Remembered(floor=NOW + 14 * MINUTE + 1)
    assert reason_of(letter(cancel()), memory).reason is R.EXPIRED


@pytest.mark.parametrize(
    "memory",
    [
        Remembered(),
        Remembered(digests={RUN_ID: ORDERED}),
        Remembered(cancelled={RUN_ID: ORDERED}),
        Remembered(digests={OTHER_RUN_ID: ANOTHER}, cancelled={OTHER_RUN_ID: ANOTHER}),
    ],
    ids=["unknown", "accepted", "cancelled", "others-known"],
)
@pytest.mark.parametrize(("name", "key"), [("alice", ALICE), ("bob", BOB)])
def test_cancel_by_any_operator_is_believed_as_often_as_it_comes(
    memory: Remembered, name: str, key: object
) -> None:
    """Whoever may order may take back, also what somebody else has ordered."""
    message = cancel(operator=name)
    assert gate().judge(letter(message, key), NOW, memory) == TakenBack(message)  # type: ignore[arg-type]


def test_cancel_of_what_the_ledger_still_has_may_be_of_any_age() -> None:
    memory = Remembered(digests={RUN_ID: ORDERED}, floor=NOW + DAY, created_at=NOW)
    assert gate().judge(letter(cancel()), NOW, memory) == TakenBack(cancel())


def test_cancel_needs_no_leave_of_the_host_s_policy() -> None:
    """A policy restricts what is done; nothing is done here."""
    closed = Policy()
    assert gate(closed).judge(letter(cancel()), NOW, Remembered()) == TakenBack(cancel())


def test_order_with_a_tombstone_is_refused_even_when_it_has_expired() -> None:
    """The reason that matters most is told, so that the run ends as cancelled."""
    memory = Remembered(cancelled={RUN_ID: ORDERED})
    refused = reason_of(letter(order(expires_at=NOW)), memory)
    assert (refused.reason, refused.run_id) == (R.CANCELLED, RUN_ID)
