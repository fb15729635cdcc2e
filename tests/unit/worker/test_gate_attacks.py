"""The gate as a list of threats: each attack is refused, and for the reason that names it."""

import json
from collections.abc import Callable

import pytest

from contract.envelope import MAX_BYTES, PayloadType, sign
from contract.order import encode
from tests.unit.worker.letters import (
    ALICE,
    BEAT,
    BOB,
    DAY,
    HOST_KEY,
    MALLORY,
    MINUTE,
    NOW,
    OPEN,
    OTHER_RUN_ID,
    OTHER_SEAL_KEY,
    RECORDER,
    RUN_ID,
    RUNBOOK,
    SECRET,
    Remembered,
    acknowledgement,
    gate,
    letter,
    order,
    ping,
    sealed,
)
from tests.unit.worker.test_keyring_attacks import KEYRING_ATTACKS, OTHERWISE
from tests.unit.worker.test_policy_attacks import POLICIES, WAYS_OUT
from worker.policy import Policy
from worker.verdict import Reason, Refused

R, ORDER = Reason, PayloadType.ORDER


def respelt(blob: bytes, **members: object) -> bytes:
    """A letter with members of its envelope exchanged."""
    return json.dumps(json.loads(blob) | members, sort_keys=True, separators=(",", ":")).encode()


def signed(payload: bytes, kind: PayloadType = ORDER) -> bytes:
    """What a trusted person's own, broken or hostile, program might sign."""
    return sign(kind, payload, [ALICE])


def payload_with(**members: object) -> bytes:
    return json.dumps(json.loads(encode(order())) | members).encode()


def of_runbook(text: str, **changes: object) -> bytes:
    return letter(order(runbook_yaml=text, **changes))


ATTACKS: dict[str, tuple[Reason, Callable[[], bytes]]] = {
    # the envelope
    "a letter larger than any is read": (R.TOO_LARGE, lambda: b"[" * (MAX_BYTES + 1)),
    "bytes that are no letter": (R.MALFORMED, lambda: b"\xff"),
    "a letter respelt by the broker": (R.MALFORMED, lambda: letter(order()) + b"\n"),
    "two signatures where one belongs": (
        R.MALFORMED,
        lambda: sign(PayloadType.PING, encode(ping()), [ALICE, BOB]),
    ),
    "an order approved by somebody who may not": (
        R.WRONG_ROLE,
        lambda: sign(ORDER, encode(order()), [ALICE, BOB]),
    ),
    "an order approved by the recorder": (
        R.WRONG_ROLE,
        lambda: sign(ORDER, encode(order()), [ALICE, RECORDER]),
    ),
    "a host's report sent to a host": (
        R.WRONG_TYPE,
        lambda: sign(PayloadType.REPORT, encode(order()), [ALICE]),
    ),
    "an order by nobody known": (R.UNKNOWN_KEY, lambda: letter(order(), MALLORY)),
    "an order by another host's key": (R.UNKNOWN_KEY, lambda: letter(order(), HOST_KEY)),
    "a tampered payload": (
        R.BAD_SIGNATURE,
        lambda: respelt(letter(order()), payload=json.loads(letter(order(check=True)))["payload"]),
    ),
    "a tampered type": (
        R.BAD_SIGNATURE,
        lambda: respelt(letter(ping()), payloadType=PayloadType.ORDER),
    ),
    "a signature of another letter": (
        R.BAD_SIGNATURE,
        lambda: respelt(letter(order()), signatures=json.loads(letter(ping()))["signatures"]),
    ),
    # the role
    "an order by the recorder's key": (R.WRONG_ROLE, lambda: letter(order(), RECORDER)),
    "a ping by the recorder's key": (R.WRONG_ROLE, lambda: letter(ping(), RECORDER)),
    "an acknowledgement by a person": (R.WRONG_ROLE, lambda: letter(acknowledgement(), ALICE)),
    "an acknowledgement by beat": (R.WRONG_ROLE, lambda: letter(acknowledgement(), BEAT)),
    "an order in another person's name": (R.WRONG_OPERATOR, lambda: letter(order(), BOB)),
    "beat's key in a person's name": (
        R.WRONG_OPERATOR,
        lambda: letter(order(operator="alice", via="beat"), BEAT),
    ),
    "beat's key claiming the command line": (
        R.WRONG_OPERATOR,
        lambda: letter(order(operator="beat", via="cli"), BEAT),
    ),
    "a person claiming to be the schedule": (
        R.WRONG_OPERATOR,
        lambda: letter(order(via="beat"), ALICE),
    ),
    "a ping in another person's name": (R.WRONG_OPERATOR, lambda: letter(ping(), BOB)),
    # the message
    "an order in the envelope of a ping": (
        R.MALFORMED,
        lambda: signed(encode(order()), PayloadType.PING),
    ),
    "a ping in the envelope of an order": (R.MALFORMED, lambda: signed(encode(ping()))),
    "a member nobody knows": (R.MALFORMED, lambda: signed(payload_with(sudo=True))),
    "a number where a truth belongs": (R.MALFORMED, lambda: signed(payload_with(check=0))),
    "a run id with a path in it": (
        R.MALFORMED,
        lambda: signed(payload_with(run_id="../../../../etc/passwd")),
    ),
    "a run id with a line break": (
        R.MALFORMED,
        lambda: signed(payload_with(run_id=RUN_ID + "\n")),
    ),
    "a payload that is not UTF-8": (R.MALFORMED, lambda: signed(b'{"host":"\xff"}')),
    "a payload of brackets": (R.MALFORMED, lambda: signed(b"[" * 100_000)),
    "an older protocol": (R.MALFORMED, lambda: signed(payload_with(v=0))),
    "a protocol not spoken here": (R.UNSUPPORTED_VERSION, lambda: signed(payload_with(v=2))),
    # the address
    "an order for another host": (R.WRONG_HOST, lambda: letter(order(host="web2"))),
    "an order for a host of like name": (R.WRONG_HOST, lambda: letter(order(host="WEB1"))),
    "an acknowledgement for another host": (
        R.WRONG_HOST,
        lambda: letter(acknowledgement(host="web2"), RECORDER),
    ),
    "a ping for another host": (R.WRONG_HOST, lambda: letter(ping(host="web2"))),
    "an order for the host of before": (R.WRONG_EPOCH, lambda: letter(order(epoch=2))),
    # the clock
    "an order from the future": (
        R.FROM_THE_FUTURE,
        lambda: letter(order(issued_at=NOW + MINUTE + 1)),
    ),
    "an order before its time": (
        R.NOT_YET_VALID,
        lambda: letter(order(not_before=NOW + MINUTE + 1)),
    ),
    "an order held back until it expired": (R.EXPIRED, lambda: letter(order(expires_at=NOW))),
    "an order whose end comes before its beginning": (
        R.EXPIRED,
        lambda: letter(order(expires_at=0)),
    ),
    "an order good for years": (
        R.LIVES_TOO_LONG,
        lambda: letter(order(expires_at=NOW + 7 * DAY + 1)),
    ),
    "an order from before the ledger": (
        R.OLDER_THAN_LEDGER,
        lambda: letter(order(issued_at=NOW - DAY - 1)),
    ),
    "a ping replayed later": (R.EXPIRED, lambda: letter(ping(expires_at=NOW))),
    "a ping from the future": (R.EXPIRED, lambda: letter(ping(issued_at=NOW + MINUTE + 1))),
    # the runbook
    "a runbook exchanged for another": (
        R.DIGEST_MISMATCH,
        lambda: letter(order(runbook_yaml=RUNBOOK + "# more\n", runbook_sha256="0" * 64)),
    ),
    "a runbook under another's name": (R.DIGEST_MISMATCH, lambda: letter(order(runbook="check"))),
    "a runbook that is no YAML": (R.BAD_RUNBOOK, lambda: of_runbook("name: [")),
    "a runbook with a tag that would run code": (
        R.BAD_RUNBOOK,
        lambda: of_runbook("!!python/object/apply:os.system [id]"),
    ),
    "a runbook with a pattern that breaks": (
        R.BAD_RUNBOOK,
        lambda: of_runbook(RUNBOOK.replace("{type: boolean, ", "{pattern: '(', ")),
    ),
    "a runbook that lint refuses": (
        R.BAD_RUNBOOK,
        lambda: of_runbook(RUNBOOK.replace("agent.exit_code", "agent.exit_cod")),
    ),
    "a runbook with its secret on a command line": (
        R.BAD_RUNBOOK,
        lambda: of_runbook(RUNBOOK.replace("restart]", '"${params.key}"]')),
    ),
    # the parameters
    "an unknown parameter": (R.BAD_PARAMETER, lambda: letter(order(params={"forse": True}))),
    "a parameter of another type": (
        R.BAD_PARAMETER,
        lambda: letter(order(params={"force": "true"})),
    ),
    "a parameter outside its values": (
        R.BAD_PARAMETER,
        lambda: letter(order(params={"level": "max"})),
    ),
    "a missing parameter": (
        R.BAD_PARAMETER,
        lambda: of_runbook(RUNBOOK.replace(', default: ""', "")),
    ),
    "a secret sent plain": (R.BAD_PARAMETER, lambda: letter(order(params={"key": SECRET}))),
    "a plain parameter sent sealed": (
        R.BAD_PARAMETER,
        lambda: letter(order(params={}, sealed_params=sealed("level", "high"))),
    ),
    "an unknown parameter sent sealed": (
        R.BAD_PARAMETER,
        lambda: letter(order(sealed_params=sealed("other"))),
    ),
    "a secret too short to be redacted": (
        R.BAD_PARAMETER,
        lambda: letter(order(sealed_params=sealed(value="abc"))),
    ),
    "a secret sealed to another host's key": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params=sealed(to=OTHER_SEAL_KEY.public))),
    ),
    "a secret sealed for another host": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params=sealed(host="web2"))),
    ),
    "a secret sealed for another run": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params=sealed(run_id=OTHER_RUN_ID))),
    ),
    "a secret sealed for another parameter": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params=sealed(parameter="level"))),
    ),
    "a secret sealed for another runbook": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params=sealed(runbook_sha256="0" * 64))),
    ),
    "a secret that was never sealed": (
        R.BAD_SECRET,
        lambda: letter(order(sealed_params={"key": SECRET})),
    ),
}


def reason_of(blob: bytes, memory: Remembered, policy: Policy = OPEN) -> Refused:
    with pytest.raises(Refused) as caught:
        gate(policy).judge(blob, NOW, memory)
    return caught.value


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_refused_for_the_reason_that_names_it(attack: str) -> None:
    reason, forge = ATTACKS[attack]
    refused = reason_of(forge(), Remembered())
    assert refused.reason is reason
    assert SECRET not in refused.detail
    assert "\n" not in refused.detail or reason is R.BAD_RUNBOOK


REMEMBERED: dict[str, tuple[Reason, Remembered]] = {
    "another order under a run id that was used": (
        R.RUN_ID_REUSED,
        Remembered(digests={RUN_ID: "0" * 64}),
    ),
    "an order that was cancelled": (R.CANCELLED, Remembered(cancelled={RUN_ID: "a" * 64})),
    "an order replayed after it was forgotten": (
        R.EXPIRED,
        Remembered(floor=NOW + 15 * MINUTE + 1),
    ),
    "an order replayed into a new ledger": (
        R.OLDER_THAN_LEDGER,
        Remembered(created_at=NOW + 1),
    ),
}


@pytest.mark.parametrize("attack", REMEMBERED)
def test_replay_is_refused_by_what_the_ledger_remembers(attack: str) -> None:
    reason, memory = REMEMBERED[attack]
    assert reason_of(letter(order()), memory).reason is reason


def test_every_reason_is_provoked_by_some_attack() -> None:
    tables = (ATTACKS, REMEMBERED, POLICIES, WAYS_OUT, KEYRING_ATTACKS, OTHERWISE)
    assert {reason for table in tables for reason, _ in table.values()} == set(Reason)


def test_refusal_names_the_run_only_if_somebody_trusted_signed_it() -> None:
    """An unbelieved letter can't speak of a run, not even to say that it was refused."""
    assert reason_of(letter(order(), MALLORY), Remembered()).run_id is None
    assert reason_of(letter(order(), RECORDER), Remembered()).run_id is None
    assert reason_of(signed(payload_with(sudo=True)), Remembered()).run_id is None
    assert reason_of(letter(order(host="web2")), Remembered()).run_id == RUN_ID
