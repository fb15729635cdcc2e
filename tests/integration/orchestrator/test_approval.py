"""Approvals: one signature more on the same order, by another person, while it still waits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from contract.envelope import PayloadType, open_envelope, peek, sign
from contract.instant import now_ms
from contract.key import Signer, SigningKey
from contract.keyring import KeyWindow, Person
from contract.order import encode, letter_digest
from contract.outcome import HostRunState
from contract.runbook import Risk
from orchestrator.approval import Approval, ApprovalError, ApproverError, approve, prepare
from orchestrator.dispatch import Dispatcher
from orchestrator.founding import window
from orchestrator.store.record import HostRun, Kind, Run, Via
from orchestrator.submission import SubmissionError
from tests.orchestrator_house import House, runbook
from tests.queue_reader import QueueReader

BOB, CAROL, MALLORY = (SigningKey.generate() for _ in range(3))


def risky(house: House, **changes: Any) -> Run:
    return house.submit(runbook=replace(runbook(), risk=Risk.HIGH), **changes)


def add_people(house: House, *people: tuple[str, Sequence[SigningKey], str]) -> None:
    """Publish the next keyring, with these people in it, or more keys of those that are there."""
    newest = house.store.keyrings.newest()
    known = {person.name: person for person in newest.people}
    for name, keys, role in people:
        before = known[name].keys if name in known else []
        roles = known[name].roles if name in known else [role]
        windows: list[KeyWindow] = [*before, *(window(key.public, now_ms()) for key in keys)]
        known[name] = Person(name=name, keys=windows, roles=roles)
    following = msgspec.structs.replace(
        newest, version=newest.version + 1, people=list(known.values())
    )
    root = SigningKey.load(house.home.root_key)
    house.store.keyrings.add(sign(PayloadType.KEYRING, encode(following), [root]), now_ms())


def orders(queue: QueueReader) -> list[bytes]:
    """Take what lies in a queue; return the orders among it."""
    letters = [letter for _, letter in queue.take()]
    return [letter for letter in letters if peek(letter)[0] is PayloadType.ORDER]


def by(house: House, run: Run, key: Signer) -> list[HostRun]:
    host_runs = house.store.runs.host_runs(run.run_id)
    return approve(prepared(house, run, host_runs, key), key, house.store)


def prepared(house: House, run: Run, host_runs: Sequence[HostRun], key: Signer) -> Approval:
    return prepare(run, host_runs, key, house.store.keyrings.newest(), house.store)


@pytest.fixture
def people(house: House) -> House:
    add_people(house, ("bob", [BOB], "approver"), ("carol", [CAROL], "approver"))
    return house


def test_run_of_high_risk_waits_until_another_person_has_approved_it(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """Stored at once, sent only then: the very order that both have signed."""
    add_people(live_house, ("bob", [BOB], "approver"))
    run = risky(live_house)
    waiting = live_house.host_run(run)
    assert (waiting.awaits, waiting.awaiting, run.people) == (1, True, 2)
    dispatcher.turn()
    assert orders(web1) == []
    by(live_house, run, BOB)
    dispatcher.turn()
    (letter,) = orders(web1)
    assert letter == live_house.order(run)
    assert set(open_envelope(letter).signers) == {
        live_house.home.operator_key().public.id,
        BOB.public.id,
    }


def test_approval_leaves_what_was_signed_as_it_is_and_keeps_both_letters(people: House) -> None:
    run = risky(people)
    before = people.order(run)
    (after,) = by(people, run, BOB)
    assert peek(people.order(run)) == peek(before)
    assert after.order_sha256 == letter_digest(people.order(run)) != letter_digest(before)
    kept = people.store.envelopes.list(run_id=run.run_id, kinds=[Kind.ORDER])
    assert before in [letter.data for letter in kept]


def test_run_that_wants_three_people_goes_on_waiting_after_the_second(people: House) -> None:
    run = risky(people, people=3)
    (after,) = by(people, run, BOB)
    assert (after.awaits, after.awaiting) == (1, True)
    (after,) = by(people, run, CAROL)
    assert (after.awaits, after.awaiting) == (0, False)


def test_same_person_twice_is_refused_also_with_another_key(people: House) -> None:
    """It takes another person, not another key."""
    second = SigningKey.generate()
    add_people(people, ("alice", [second], ""))
    run = risky(people)
    for key in (people.home.operator_key(), second):
        with pytest.raises(ApproverError, match="alice has signed this run already"):
            by(people, run, key)
    assert people.host_run(run).awaits == 1


def test_approver_without_the_right_is_refused(people: House) -> None:
    add_people(people, ("dave", [MALLORY], "operator"))
    run = risky(people)
    with pytest.raises(ApproverError, match="no role of dave lets them approve touch on web1"):
        by(people, run, MALLORY)


def test_approver_whom_nobody_knows_is_refused(people: House) -> None:
    run = risky(people)
    with pytest.raises(ApproverError, match="keyring does not know your key"):
        by(people, run, SigningKey.generate())


def test_run_that_waits_for_nothing_can_t_be_approved(people: House) -> None:
    run = people.submit()
    with pytest.raises(ApprovalError, match=r"waits for no approval \(its hosts: queued\)"):
        by(people, run, BOB)


def test_run_that_was_approved_already_can_t_be_approved_again(people: House) -> None:
    run = risky(people)
    by(people, run, BOB)
    with pytest.raises(ApprovalError, match="waits for no approval"):
        by(people, run, CAROL)


def test_run_that_was_cancelled_can_t_be_approved(people: House) -> None:
    run = risky(people)
    people.cancel(run)
    with pytest.raises(ApprovalError, match="was cancelled; nothing was approved"):
        by(people, run, BOB)


def test_run_that_has_expired_can_t_be_approved(people: House) -> None:
    run = risky(people, expires_in=timedelta(milliseconds=1))
    people.store.outgoing.end_overdue(now_ms() + 1000)
    expired = people.host_run(run)
    assert expired.state is HostRunState.EXPIRED
    assert expired.reason == "it expired before enough people had approved it, and was never sent"
    with pytest.raises(ApprovalError, match="has expired before enough people"):
        by(people, run, BOB)


def test_approval_that_comes_while_another_is_signed_is_taken_once(people: House) -> None:
    """Both looked at the same order; the second one's would lack the first one's signature."""
    run = risky(people, people=3)
    host_runs = people.store.runs.host_runs(run.run_id)
    late = prepared(people, run, host_runs, CAROL)
    by(people, run, BOB)
    with pytest.raises(ApprovalError, match="has moved on just now"):
        approve(late, CAROL, people.store)
    assert people.host_run(run).awaits == 1


def test_order_that_is_not_what_the_store_s_rows_say_is_not_approved(people: House) -> None:
    """Who can write to the database can't have somebody sign another thing than is shown."""
    run = risky(people)
    host_runs = people.store.runs.host_runs(run.run_id)
    for changed in (
        msgspec.structs.replace(run, runbook="check"),
        msgspec.structs.replace(run, runbook_sha256="0" * 64),
    ):
        with pytest.raises(ApprovalError, match="is not what the store says of it"):
            prepared(people, changed, host_runs, BOB)


def test_schedule_can_t_start_what_is_not_marked_unattended(house: House) -> None:
    with pytest.raises(SubmissionError, match="touch is not marked `unattended: true`"):
        house.submit(via=Via.BEAT, operator="beat")


def test_approval_stripped_by_the_broker_hides_no_run(people: House) -> None:
    """Where a host asks for fewer people, it does the order without the surplus signature."""
    run = risky(people)
    by(people, run, BOB)
    envelope = json.loads(people.order(run))
    for kept in envelope["signatures"]:
        stripped = json.dumps(
            envelope | {"signatures": [kept]}, sort_keys=True, separators=(",", ":")
        ).encode()
        people.recorder().record(people.hosts["web1"].receipt(stripped, HostRunState.RUNNING))
        assert people.state(run) is HostRunState.RUNNING
    people.recorder().record(people.hosts["web1"].report(stripped))
    assert people.state(run) is HostRunState.SUCCEEDED
