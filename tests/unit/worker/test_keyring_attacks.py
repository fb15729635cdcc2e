"""Keyrings, admissions and keys as a list of threats: each is refused, and for its own reason."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from contract.envelope import PayloadType, sign
from contract.keyring import Admission, Keyring, Role, RootKey, Roots
from contract.order import sign_message
from tests.unit.worker.letters import (
    ALICE,
    FLEET,
    KEYRING,
    MALLORY,
    NOW,
    OPEN,
    SEAL_KEY,
    Remembered,
    gate,
    letter,
    membership,
    order,
)
from worker.gate import Gate
from worker.verdict import Accepted, Followed, Known, Reason, Refused

R = Reason


def next_keyring(**changes: Any) -> Keyring:
    return msgspec.structs.replace(KEYRING, **{"version": 2, "issued_at": NOW, **changes})


def admission(**changes: Any) -> Admission:
    ours = membership().admission
    return msgspec.structs.replace(
        ours, **{"labels": {"env": "test"}, "issued_at": NOW + 1} | changes
    )


def admitted(**changes: Any) -> bytes:
    return sign_message(PayloadType.ADMISSION, admission(**changes), FLEET.registrar)


KEYRING_TYPE, ROOT = PayloadType.KEYRING, FLEET.root
FOREIGN_ROOTS = Roots(threshold=1, keys=[RootKey(name="mallory", key=MALLORY.public.text)])

KEYRING_ATTACKS: dict[str, tuple[Reason, Callable[[], bytes]]] = {
    "an order by a keyring that is still to come": (
        R.KEYRING_BEHIND,
        lambda: letter(order(keyring=2)),
    ),
    "an order by somebody whom a later keyring may know": (
        R.KEYRING_BEHIND,
        lambda: letter(order(keyring=2), MALLORY),
    ),
    "a keyring that is none": (R.KEYRING_MALFORMED, lambda: sign(KEYRING_TYPE, b"{}", [ROOT])),
    "a keyring with one key twice": (
        R.KEYRING_MALFORMED,
        lambda: FLEET.sign(next_keyring(people=[*KEYRING.people, *KEYRING.people])),
    ),
    "a keyring with a role named for a service": (
        R.KEYRING_MALFORMED,
        lambda: FLEET.sign(next_keyring(roles=[*KEYRING.roles, Role(name="scheduler", rights=[])])),
    ),
    "the next keyring by nobody known": (
        R.KEYRING_UNSIGNED,
        lambda: FLEET.sign(next_keyring(), MALLORY),
    ),
    "the next keyring by a person who is no root": (
        R.KEYRING_UNSIGNED,
        lambda: FLEET.sign(next_keyring(), ALICE),
    ),
    "the next keyring with a stranger's signature beside the root's": (
        R.KEYRING_UNSIGNED,
        lambda: FLEET.sign(next_keyring(), ROOT, MALLORY),
    ),
    "a keyring that crowns its own roots": (
        R.KEYRING_UNSIGNED,
        lambda: FLEET.sign(next_keyring(roots=FOREIGN_ROOTS), MALLORY),
    ),
    "a keyring whose new roots have not agreed": (
        R.KEYRING_UNSIGNED,
        lambda: FLEET.sign(next_keyring(roots=FOREIGN_ROOTS), ROOT),
    ),
    "a keyring that skips one": (
        R.KEYRING_BEHIND,
        lambda: FLEET.sign(next_keyring(version=3)),
    ),
    "another keyring of this version": (
        R.KEYRING_FORKED,
        lambda: FLEET.sign(next_keyring(version=1)),
    ),
    # the admission
    "an admission by a person": (
        R.WRONG_ROLE,
        lambda: sign_message(PayloadType.ADMISSION, admission(), ALICE),
    ),
    "an admission by nobody known": (
        R.UNKNOWN_KEY,
        lambda: sign_message(PayloadType.ADMISSION, admission(), MALLORY),
    ),
    "an admission of another host": (R.WRONG_HOST, lambda: admitted(host="web2")),
    "an admission of another epoch": (R.WRONG_EPOCH, lambda: admitted(epoch=2)),
    "an admission with another key": (
        R.ADMISSION_OUTDATED,
        lambda: admitted(sign=MALLORY.public.text),
    ),
    "an admission from before": (R.ADMISSION_OUTDATED, lambda: admitted(issued_at=NOW - 1)),
}


@pytest.mark.parametrize("attack", KEYRING_ATTACKS)
def test_attack_with_a_keyring_or_an_admission_is_refused(attack: str) -> None:
    reason, forge = KEYRING_ATTACKS[attack]
    with pytest.raises(Refused) as caught:
        gate().judge(forge(), NOW, Remembered())
    assert caught.value.reason is reason


# Keyrings that say something else than the usual one, and an order that is right otherwise.
OTHERWISE: dict[str, tuple[Reason, Callable[[], Keyring]]] = {
    "an order by a key that was revoked": (R.KEY_NOT_VALID, lambda: alice(revoked_at=NOW)),
    "an order by a key that has expired": (R.KEY_NOT_VALID, lambda: alice(not_after=NOW)),
    "an order by a key of tomorrow": (R.KEY_NOT_VALID, lambda: alice(not_before=NOW + 1)),
    "an order though the keyring has expired": (
        R.KEYRING_EXPIRED,
        lambda: msgspec.structs.replace(KEYRING, expires_at=NOW),
    ),
    "an order by somebody of no role": (R.WRONG_ROLE, lambda: role(rights=[])),
    "an order of a runbook that is not the role's": (
        R.WRONG_ROLE,
        lambda: role(runbooks=["oms/*"]),
    ),
    "an order for a host that is not the role's": (
        R.WRONG_ROLE,
        lambda: role(hosts={"env": "test"}),
    ),
}


def alice(**changes: Any) -> Keyring:
    person = KEYRING.people[0]
    keys = [msgspec.structs.replace(person.keys[0], **changes)]
    people = [msgspec.structs.replace(person, keys=keys), *KEYRING.people[1:]]
    return msgspec.structs.replace(KEYRING, people=people)


def role(**changes: Any) -> Keyring:
    roles = [msgspec.structs.replace(each, **changes) for each in KEYRING.roles]
    return msgspec.structs.replace(KEYRING, roles=roles)


@pytest.mark.parametrize("attack", OTHERWISE)
def test_attack_against_what_the_keyring_says_is_refused(attack: str) -> None:
    reason, keyring = OTHERWISE[attack]
    with pytest.raises(Refused) as caught:
        Gate(membership(keyring=keyring()), OPEN, SEAL_KEY).judge(
            letter(order()), NOW, Remembered()
        )
    assert caught.value.reason is reason


def test_next_keyring_is_followed_step_by_step_and_the_old_one_is_known() -> None:
    followed = gate().judge(FLEET.sign(next_keyring()), NOW, Remembered())
    assert isinstance(followed, Followed)
    assert followed.membership.keyring.version == 2
    later = gate()
    later.follow(followed.membership)
    assert later.judge(FLEET.sign(KEYRING), NOW, Remembered()) == Known()
    third = later.judge(FLEET.sign(next_keyring(version=3)), NOW, Remembered())
    assert isinstance(third, Followed)
    assert isinstance(later.judge(letter(order(keyring=2)), NOW, Remembered()), Accepted)


def test_keyring_with_new_roots_is_followed_if_old_and_new_ones_signed_it() -> None:
    letter_ = FLEET.sign(next_keyring(roots=FOREIGN_ROOTS), ROOT, MALLORY)
    followed = gate().judge(letter_, NOW, Remembered())
    assert isinstance(followed, Followed)
    after = Gate(followed.membership, OPEN, SEAL_KEY)
    with pytest.raises(Refused) as caught:  # the old root has no word any more
        after.judge(FLEET.sign(next_keyring(version=3)), NOW, Remembered())
    assert caught.value.reason is R.KEYRING_UNSIGNED


def test_new_labels_come_by_an_admission_and_decide_at_once() -> None:
    gate_ = Gate(membership(keyring=role(hosts={"env": "test"})), OPEN, SEAL_KEY)
    followed = gate_.judge(admitted(), NOW, Remembered())
    assert isinstance(followed, Followed)
    gate_.follow(followed.membership)
    assert isinstance(gate_.judge(letter(order()), NOW, Remembered()), Accepted)
    assert gate_.judge(admitted(), NOW, Remembered()) == Known()


def test_order_that_waited_while_its_key_was_revoked_does_not_begin() -> None:
    gate_ = gate()
    accepted = gate_.judge(letter(order()), NOW, Remembered())
    assert isinstance(accepted, Accepted)
    gate_.follow(membership(keyring=alice(revoked_at=NOW)))
    with pytest.raises(Refused) as caught:
        gate_.permit(accepted, NOW)
    assert caught.value.reason is R.KEY_NOT_VALID


def test_order_that_waited_while_its_key_ran_out_begins() -> None:
    """A rotation loses no run: what came in time was signed in time."""
    gate_ = gate()
    accepted = gate_.judge(letter(order()), NOW, Remembered())
    assert isinstance(accepted, Accepted)
    gate_.follow(membership(keyring=alice(not_after=NOW + 1)))
    gate_.permit(accepted, NOW + 2)
