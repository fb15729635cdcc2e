"""The registrar: who is let in, once, under the name and epoch that a token is for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.enrolment import (
    Direction,
    EnrolmentError,
    Verdict,
    broker_context,
    cover,
)
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.order import letter_digest
from contract.sealing import SealError, unseal
from contract.succession import SuccessionError
from orchestrator.enrolment import (
    InvitationError,
    accept,
    held,
    reject,
    revoke,
)
from orchestrator.inventory import Inventory
from orchestrator.registrar import Registrar
from orchestrator.store.enrolment_record import EnrolmentState
from tests.fleet_keys import FleetKeys
from tests.integration.orchestrator.newcomer import Desk, Newcomer
from tests.orchestrator_house import NOWHERE, House
from tests.signing_host import SigningHost
from worker.membership import join


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    house = House.build(tmp_path / "home", NOWHERE, ())
    with house.store:
        yield Desk(house, Registrar(house.home, house.store, house.home.registrar_key()))


def test_host_with_a_token_is_admitted_under_its_name_with_its_labels(desk: Desk) -> None:
    new = desk.invite(env="prod")
    answer = desk.ask(new)
    assert answer.verdict is Verdict.ADMITTED
    assert answer.request == letter_digest(new.request)
    keyrings = [keyring.encode() for keyring in answer.keyrings]
    found = join(keyrings, answer.admission.encode(), new.token.roots, now_ms()).admission
    assert (found.host, found.epoch, found.labels) == ("new1", 1, {"env": "prod"})
    assert (found.sign, found.seal) == (new.key.public.text, new.seal_key.public.text)
    context = broker_context(new.token.id, "new1", 1)
    assert unseal(answer.broker, new.seal_key, context) == NOWHERE
    assert desk.house.store.hosts.keys([new.key.public.id])
    assert desk.state(new) is EnrolmentState.ADMITTED


def test_admitted_host_that_asks_again_gets_the_very_same_answer(desk: Desk) -> None:
    """The answer got lost; a second password would make the first one worthless."""
    new = desk.invite()
    first = desk.registrar.take(new.letter())
    assert desk.registrar.take(new.letter()) == first
    assert desk.hosts() == [("new1", 1)]


def test_token_used_a_second_time_admits_nobody_else(desk: Desk) -> None:
    """Whoever copied it comes too late, and is told; the first one stays."""
    new = desk.invite()
    desk.ask(new)
    thief = replace(new, key=SigningKey.generate(), seal_key=SealKey.generate())
    answer = desk.ask(thief)
    assert (answer.verdict, answer.admission, answer.broker) == (Verdict.REJECTED, "", "")
    assert "another host used this token" in answer.reason
    assert desk.house.store.hosts.keys([thief.key.public.id]) == []
    assert desk.ask(new).verdict is Verdict.ADMITTED


def test_token_used_again_with_the_same_signing_key_but_another_seal_key_is_refused(
    desk: Desk,
) -> None:
    new = desk.invite()
    desk.ask(new)
    assert desk.ask(replace(new, seal_key=SealKey.generate())).verdict is Verdict.REJECTED


def test_token_that_expired_admits_nobody(desk: Desk) -> None:
    new = desk.invite()
    desk.expire(new)
    answer = desk.ask(new)
    assert (answer.verdict, answer.reason) == (Verdict.REJECTED, "the token has expired")
    assert desk.hosts() == []


def test_token_replaced_by_a_newer_one_admits_nobody(desk: Desk) -> None:
    old = desk.invite()
    new = desk.invite()
    assert "another token was made" in desk.ask(old).reason
    assert desk.ask(new).verdict is Verdict.ADMITTED


def test_held_host_is_let_in_by_a_person_only(desk: Desk) -> None:
    new = desk.invite(hold=True)
    for _ in range(2):
        answer = desk.ask(new)
        assert (answer.verdict, answer.admission, answer.broker) == (Verdict.HELD, "", "")
    assert desk.hosts() == []
    accept(desk.house.store, held(desk.house.store, "new1"))
    assert desk.ask(new).verdict is Verdict.ADMITTED


def test_held_host_that_was_rejected_stays_out(desk: Desk) -> None:
    new = desk.invite(hold=True)
    desk.ask(new)
    enrolment = held(desk.house.store, "new1")
    reject(desk.house.store, enrolment)
    assert "rejected" in desk.ask(new).reason
    with pytest.raises(InvitationError, match="not held any more"):
        accept(desk.house.store, enrolment)
    assert desk.hosts() == []


def test_held_host_is_let_in_with_the_key_that_was_compared(desk: Desk) -> None:
    """Whoever asks between the comparison and the acceptance is another one."""
    new = desk.invite(hold=True)
    desk.ask(new)
    thief = replace(new, key=SigningKey.generate())
    assert desk.ask(thief).verdict is Verdict.REJECTED
    accept(desk.house.store, held(desk.house.store, "new1"))
    assert desk.ask(thief).verdict is Verdict.REJECTED
    assert desk.ask(new).verdict is Verdict.ADMITTED


def test_held_host_whose_token_expires_stays_out(desk: Desk) -> None:
    new = desk.invite(hold=True)
    desk.ask(new)
    desk.expire(new)
    assert desk.ask(new).verdict is Verdict.REJECTED
    with pytest.raises(InvitationError):
        held(desk.house.store, "new1")


def test_enrolled_anew_the_former_self_is_believed_no_more(desk: Desk) -> None:
    old = desk.invite(env="prod")
    desk.ask(old)
    run = desk.house.submit()
    new = desk.invite()
    assert new.token.epoch == 2
    assert desk.house.store.hosts.keys([old.key.public.id])  # until the token is used
    assert desk.ask(new).verdict is Verdict.ADMITTED
    assert desk.hosts() == [("new1", 2)]
    assert desk.house.store.hosts.keys([old.key.public.id]) == []
    assert Inventory(desk.house.store).get("new1").labels == {"env": "prod"}
    # What the former self was asked is not sent to the new one.
    assert desk.house.host_run(run, "new1").epoch == 1
    assert desk.house.store.outgoing.orders(now_ms(), 10) == []


def test_key_of_a_former_self_admits_nobody(desk: Desk) -> None:
    old = desk.invite()
    desk.ask(old)
    again = replace(desk.invite(), key=old.key)
    assert "every enrolment needs its own" in desk.ask(again).reason
    assert desk.hosts() == [("new1", 1)]


def test_revoked_host_is_out_and_its_token_is_void(desk: Desk) -> None:
    new = desk.invite(hold=True)
    desk.ask(new)
    accept(desk.house.store, held(desk.house.store, "new1"))
    desk.house.store.enrolments.void_host("new1", "an operator revoked the host", now_ms())
    assert "revoked" in desk.ask(new).reason
    assert desk.hosts() == []


def test_admitted_host_that_was_revoked_is_not_believed_and_does_not_come_back(
    desk: Desk,
) -> None:
    new = desk.invite()
    desk.ask(new)
    revoke(desk.house.home, desk.house.store, "new1")
    assert "revoked" in desk.ask(new).reason
    assert desk.hosts() == []
    assert desk.house.store.hosts.keys([new.key.public.id]) == []


@pytest.mark.parametrize("changes", [{"host": "new2"}, {"epoch": 2}, {"id": "0" * 32}, {"v": 2}])
def test_request_for_another_name_epoch_or_token_is_refused(
    desk: Desk, changes: dict[str, Any]
) -> None:
    """A token is bound to one name and epoch, whatever its holder writes."""
    new = desk.invite()
    desk.invite("new2")
    assert desk.ask(new, new.forged(**changes)).verdict is Verdict.REJECTED
    assert desk.state(new) is EnrolmentState.ISSUED
    assert desk.hosts() == []


def test_request_with_a_key_that_its_sender_does_not_have_is_refused(desk: Desk) -> None:
    """Somebody else's public key can't be enrolled: the request is signed by the key it names."""
    new, victim = desk.invite(), SigningKey.generate().public.text
    assert desk.ask(new, new.forged(sign=victim)).verdict is Verdict.REJECTED
    weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert desk.ask(new, new.forged(sign=weak)).verdict is Verdict.REJECTED
    assert desk.ask(new, new.forged(seal=weak)).verdict is Verdict.REJECTED
    assert desk.state(new) is EnrolmentState.ISSUED


def test_request_by_somebody_without_the_token_is_not_even_answered(desk: Desk) -> None:
    """Knowing its id, as whoever reads the broker does, is not enough."""
    new = desk.invite()
    guessed = msgspec.structs.replace(new.token, secret="0" * 64)
    other = desk.invite("new2")
    letters = [
        Newcomer(guessed).letter(),
        cover(other.token.shared_key(), Direction.REQUEST, new.token.id, new.request),
        cover(new.token.shared_key(), Direction.ANSWER, new.token.id, new.request),
        cover(new.token.shared_key(), Direction.REQUEST, "0" * 32, new.request),
        b"",
        b"{}",
        new.letter()[:-1],
    ]
    for letter in letters:
        with pytest.raises(EnrolmentError):
            desk.registrar.take(letter)
    assert desk.state(new) is EnrolmentState.ISSUED


def test_answer_is_of_no_use_to_whoever_reads_the_broker(desk: Desk) -> None:
    """The host's own URL is sealed to the key that asked."""
    new = desk.invite()
    answer = desk.ask(new)
    context = broker_context(new.token.id, "new1", 1)
    with pytest.raises(SealError):
        unseal(answer.broker, SealKey.generate(), context)
    with pytest.raises(SealError):
        unseal(answer.broker, new.seal_key, broker_context("0" * 32, "new1", 1))


def test_registrar_admission_that_was_cut_off_is_completed(desk: Desk) -> None:
    """It died between the inventory and the answer: the same host asks again, and gets it."""
    new = desk.invite()
    desk.house.store.enrolments.claim(
        new.token.id, new.key.public.text, new.seal_key.public.text, now_ms()
    )
    desk.house.admit(SigningHost("new1", new.key, new.seal_key))
    assert desk.ask(new).verdict is Verdict.ADMITTED
    assert desk.hosts() == [("new1", 1)]


def test_enrolment_long_over_is_forgotten(desk: Desk) -> None:
    new = desk.invite()
    desk.house.store.enrolments.forget(new.token.expires_at)
    assert desk.house.store.enrolments.get(new.token.id) is not None
    desk.house.store.enrolments.forget(new.token.expires_at + 1)
    with pytest.raises(EnrolmentError):
        desk.registrar.take(new.letter())


def test_token_pins_no_roots_but_those_of_the_home(desk: Desk) -> None:
    """Whoever writes to the store can't lead new hosts into a fleet of his own."""
    other = FleetKeys()
    forged = msgspec.structs.replace(other.keyring(), version=2)
    desk.house.store.keyrings.add(other.sign(forged), now_ms())
    with pytest.raises(SuccessionError):
        desk.invite()
    assert desk.house.store.enrolments.open() == []
