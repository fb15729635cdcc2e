"""Orders that need two people, signed by fewer: the host counts people, not keys."""

from operator import itemgetter
from typing import Any

import msgspec
import pytest

from contract.envelope import countersign, peek, sign
from contract.key import SigningKey
from contract.keyring import Keyring
from contract.runbook import Risk
from tests.fleet_keys import window
from tests.unit.worker.letters import (
    ALICE,
    FLEET,
    KEYRING,
    NOW,
    OPEN,
    RUNBOOK,
    SEAL_KEY,
    Remembered,
    letter,
    membership,
    order,
)
from worker.gate import Gate
from worker.policy import Policy
from worker.verdict import Accepted, Reason, Refused

CAROL, CAROLS_SECOND, ALICES_SECOND, DAVE = (SigningKey.generate() for _ in range(4))
RISKY = RUNBOOK.replace("name: restart\n", "name: restart\nrisk: high\n")


def keyring() -> Keyring:
    """Alice may order and approve, carol approve, dave neither; two of them have two keys."""
    alice, bob = KEYRING.people
    second = msgspec.structs.replace(alice, keys=[*alice.keys, window(ALICES_SECOND, NOW)])
    carol = FLEET.person("carol", CAROL, "approver")
    carol = msgspec.structs.replace(carol, keys=[*carol.keys, window(CAROLS_SECOND, NOW)])
    dave = FLEET.person("dave", DAVE)
    return msgspec.structs.replace(KEYRING, people=[second, bob, carol, dave])


def policy(high: int = 2) -> Policy:
    return Policy(
        runbooks=OPEN.runbooks,
        actions=OPEN.actions,
        executables=OPEN.executables,
        reads=OPEN.reads,
        approvals={Risk.NORMAL: 1, Risk.HIGH: high},
    )


def judge(blob: bytes, high: int = 2, **admission: Any) -> Accepted:
    gate = Gate(membership(keyring=keyring(), **admission), policy(high), SEAL_KEY)
    verdict = gate.judge(blob, NOW, Remembered())
    assert isinstance(verdict, Accepted)
    return verdict


def refused(blob: bytes, high: int = 2) -> Refused:
    with pytest.raises(Refused) as caught:
        judge(blob, high)
    return caught.value


def risky(**changes: Any) -> bytes:
    return letter(order(runbook_yaml=RISKY, **changes))


def test_run_of_high_risk_by_two_people_is_accepted() -> None:
    assert judge(countersign(risky(), CAROL)).runbook.risk is Risk.HIGH


def test_one_of_two_is_refused() -> None:
    found = refused(risky())
    assert found.reason is Reason.POLICY_APPROVALS
    assert found.detail == (
        "this host's policy does not allow a runbook of high risk by one person; "
        "its approvals: high: 2"
    )


def test_same_person_twice_with_two_keys_is_one_person() -> None:
    assert refused(countersign(risky(), ALICES_SECOND)).reason is Reason.POLICY_APPROVALS


def test_approver_twice_with_two_keys_is_one_of_the_two_that_are_missing() -> None:
    blob = countersign(countersign(risky(), CAROL), CAROLS_SECOND)
    assert judge(blob).order.operator == "alice"
    assert refused(blob, high=3).reason is Reason.POLICY_APPROVALS


def test_approver_without_the_right_is_refused() -> None:
    assert refused(countersign(risky(), DAVE)).reason is Reason.WRONG_ROLE


def test_approver_alone_can_t_order() -> None:
    blob = letter(order(runbook_yaml=RISKY, operator="carol"), CAROL)
    assert refused(countersign(blob, ALICE)).reason is Reason.WRONG_ROLE


@pytest.mark.parametrize(
    "changes",
    [
        {"params": {"force": False}},
        {"runbook_yaml": RISKY + "# altered\n"},
        {"host": "web2"},
        {"check": True},
        {"nonce": "1" * 32},
        {"run_id": "0" * 26},
    ],
    ids=["param", "digest", "host", "check", "nonce", "run"],
)
def test_approval_copied_from_another_order_is_refused(changes: dict[str, Any]) -> None:
    """An approver's signature is good for the very bytes that it was made for."""
    approved = countersign(letter(order(**{"runbook_yaml": RISKY} | changes)), CAROL)
    signatures = msgspec.json.decode(approved)["signatures"]
    wanted = msgspec.json.decode(risky())
    theirs = [entry for entry in signatures if entry["keyid"] == CAROL.public.id]
    forged = msgspec.json.encode(
        wanted | {"signatures": sorted([*wanted["signatures"], *theirs], key=itemgetter("keyid"))}
    )
    assert len(theirs) == 1
    assert refused(_canonical(forged)).reason is Reason.BAD_SIGNATURE


def _canonical(envelope: bytes) -> bytes:
    """An envelope as `sign` would write it, so that nothing but a signature is wrong with it."""
    return msgspec.json.encode(msgspec.json.decode(envelope), order="sorted")


def test_run_approved_for_another_host_is_refused() -> None:
    assert refused(countersign(risky(host="web2"), CAROL)).reason is Reason.WRONG_HOST


def test_order_of_high_risk_by_the_scheduler_is_refused_though_it_says_unattended() -> None:
    """The language itself does not have such a runbook."""
    text = RISKY.replace("risk: high\n", "risk: high\nunattended: true\n")
    blob = letter(order(runbook_yaml=text, operator="beat", via="beat"), FLEET.beat)
    assert refused(blob).reason is Reason.BAD_RUNBOOK


def test_scheduler_s_key_starts_only_what_is_marked_unattended() -> None:
    """A stolen orchestrator may look; what people alone may start, it can't."""
    attended = letter(order(operator="beat", via="beat"), FLEET.beat)
    assert refused(attended).reason is Reason.WRONG_ROLE
    text = RUNBOOK.replace("name: restart\n", "name: restart\nunattended: true\n")
    blob = letter(order(runbook_yaml=text, operator="beat", via="beat"), FLEET.beat)
    assert judge(blob).runbook.unattended


def test_approver_who_was_struck_off_while_the_order_waited_counts_no_more() -> None:
    """The host counts once more just before the order begins, by the keyring that it has then."""
    accepted = judge(countersign(risky(), CAROL))
    later = keyring()
    people = [
        msgspec.structs.replace(p, roles=[]) if p.name == "carol" else p for p in later.people
    ]
    gate = Gate(
        membership(keyring=msgspec.structs.replace(later, people=people)), policy(), SEAL_KEY
    )
    with pytest.raises(Refused) as caught:
        gate.permit(accepted, NOW)
    assert caught.value.reason is Reason.POLICY_APPROVALS


def test_two_signatures_are_not_two_people_if_one_is_the_scheduler_s() -> None:
    blob = countersign(risky(), FLEET.beat)
    assert refused(blob).reason is Reason.WRONG_ROLE


def test_letter_of_two_signatures_is_what_sign_makes_of_two_keys() -> None:
    """Countersign adds what signing together would have made."""
    one, payload = peek(risky())
    assert countersign(risky(), CAROL) == sign(one, payload, [ALICE, CAROL])
