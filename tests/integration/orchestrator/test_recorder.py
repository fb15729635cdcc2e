"""The recorder: letters in, states and acknowledgements out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.envelope import PayloadType, open_envelope
from contract.key import SigningKey
from contract.order import Acknowledgement, decode, letter_digest
from contract.outcome import HostRunState, StepOutcome
from orchestrator.claim import LetterError
from orchestrator.inventory import Inventory
from orchestrator.ping import send_ping
from orchestrator.store.incoming import Taken
from orchestrator.store.record import Kind
from tests.orchestrator_house import House
from tests.signing_host import SigningHost, payload_of

HOSTS = ("web1", "web2")


@contextmanager
def fresh_house() -> Iterator[House]:
    with TemporaryDirectory() as directory:
        house = House.build(Path(directory, "home"))
        try:
            yield house
        finally:
            house.store.close()


def test_recorder_receipt_then_report_end_the_host_run(house: House) -> None:
    run, host, recorder = house.submit(), house.hosts["web1"], house.recorder()
    order = house.order(run)
    recorder.record(host.receipt(order, HostRunState.RUNNING))
    assert house.state(run) is HostRunState.RUNNING
    recorder.record(host.report(order, StepOutcome.CHANGED))
    ended = house.host_run(run)
    assert (ended.state, ended.outcome) == (HostRunState.SUCCEEDED, StepOutcome.CHANGED)
    report = ended.read_report()
    assert report is not None
    assert report.passes[0].steps[0].name == "a step"
    summary = house.store.runs.summary(run.run_id)
    assert summary is not None
    assert summary.ended
    assert summary.outcomes == {StepOutcome.CHANGED: 1}


LETTERS = st.permutations([0, 1, 2, 3]).flatmap(
    lambda order: st.lists(st.sampled_from(order), max_size=6).map(lambda more: order + more)
)


@settings(max_examples=25)
@given(LETTERS)
def test_recorder_letters_in_any_order_and_number_end_alike(arrivals: list[int]) -> None:
    """At least once and in any order is all that the wire promises; the state is the same."""
    with fresh_house() as house:
        run, host, recorder = house.submit(), house.hosts["web1"], house.recorder()
        order = house.order(run)
        letters = [
            host.receipt(order, HostRunState.DELIVERED, at=4),
            host.receipt(order, HostRunState.RUNNING, at=5),
            host.report(order, StepOutcome.CHANGED),
            host.refusal(order, "expired", run.run_id),
        ]
        for number in arrivals:
            recorder.record(letters[number])
        assert house.state(run) is HostRunState.SUCCEEDED
        stored = house.store.envelopes.list(run_id=run.run_id)
        assert len(house.store.envelopes.list(kinds=[Kind.ACKNOWLEDGEMENTS])) == 1
        assert {letter_digest(letter) for letter in letters} <= {letter.digest for letter in stored}
        assert len(stored) == 1 + len(letters)


def test_recorder_report_is_acknowledged_again_with_the_same_bytes(house: House) -> None:
    run, recorder = house.submit(), house.recorder()
    report = house.hosts["web1"].report(house.order(run))
    first, second = recorder.record(report), recorder.record(report)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.acknowledgement is not None
    assert first.acknowledgement == second.acknowledgement
    payload = payload_of(
        first.acknowledgement.data, house.home.recorder_key(), PayloadType.ACKNOWLEDGEMENT
    )
    acknowledgement = decode(payload, Acknowledgement)
    assert acknowledgement.host == "web1"
    assert acknowledgement.digests == [letter_digest(report)]


def test_recorder_reports_stored_together_are_acknowledged_by_one_signature(
    live_house: House,
) -> None:
    """Each host gets a letter of its own; what was signed for both is stored once."""
    run, key = live_house.submit(), live_house.home.recorder_key()
    reports = [live_house.hosts[name].report(live_house.order(run, name)) for name in HOSTS]
    taken = live_house.recorder().recorder.record(reports)
    (head,) = live_house.store.envelopes.list(kinds=[Kind.ACKNOWLEDGEMENTS])
    signatures = {signature.made for signature in open_envelope(head.data).signatures}
    for name, report, each in zip(HOSTS, reports, taken, strict=True):
        assert isinstance(each, Taken)
        assert each.acknowledgement is not None
        assert each.acknowledgement.host == name
        answer = each.acknowledgement.data
        message = decode(payload_of(answer, key, PayloadType.ACKNOWLEDGEMENT), Acknowledgement)
        assert (message.host, message.digests) == (name, [letter_digest(report)])
        assert message.at == head.at
        assert {signature.made for signature in open_envelope(answer).signatures} == signatures


def test_recorder_repeats_of_reports_stored_together_store_nothing(live_house: House) -> None:
    """They are acknowledged anew, for the moment at which each was stored."""
    run, key = live_house.submit(), live_house.home.recorder_key()
    reports = [live_house.hosts[name].report(live_house.order(run, name)) for name in HOSTS]
    recorder = live_house.recorder()
    recorder.recorder.record(reports)
    before = live_house.store.envelopes.list()
    again = recorder.record(reports[1])
    assert again.repeated
    assert again.acknowledgement is not None
    answer = payload_of(again.acknowledgement.data, key, PayloadType.ACKNOWLEDGEMENT)
    message = decode(answer, Acknowledgement)
    assert (message.digests, message.at) == ([letter_digest(reports[1])], before[-1].at)
    assert live_house.store.envelopes.list() == before


def test_recorder_receipt_is_not_acknowledged(house: House) -> None:
    letter = house.hosts["web1"].receipt(house.order(house.submit()), HostRunState.RUNNING)
    assert house.recorder().record(letter).acknowledgement is None


def test_recorder_refusal_that_names_no_run_finds_it_by_the_letter(house: House) -> None:
    run = house.submit()
    house.recorder().record(house.hosts["web1"].refusal(house.order(run), "unknown_key"))
    refused = house.host_run(run)
    assert (refused.state, refused.reason) == (HostRunState.REFUSED, "unknown_key: no")
    kinds = [letter.kind for letter in house.store.envelopes.list(run_id=run.run_id)]
    assert kinds == [Kind.ORDER, Kind.REFUSAL]


def test_recorder_refusal_of_a_strange_letter_is_only_audited(house: House) -> None:
    run = house.submit()
    taken = house.recorder().record(house.hosts["web1"].refusal(b"strange", "malformed"))
    assert taken.after is None
    assert house.state(run) is HostRunState.QUEUED
    assert len(house.store.envelopes.list(kinds=[Kind.REFUSAL])) == 1


def test_recorder_report_about_another_hosts_order_moves_nothing(live_house: House) -> None:
    run = live_house.submit()
    letter = live_house.hosts["web2"].report(live_house.order(run, "web1"))
    taken = live_house.recorder().record(letter)
    assert taken.after is None
    assert taken.acknowledgement is not None  # it is stored, so the host may let go of it
    assert live_house.state(run, "web1") is HostRunState.QUEUED
    assert live_house.state(run, "web2") is HostRunState.QUEUED


def test_recorder_report_that_names_another_run_moves_nothing(house: House) -> None:
    run = house.submit()
    house.recorder().record(house.hosts["web1"].report(house.order(run), run_id="0" * 26))
    assert house.state(run) is HostRunState.QUEUED


def test_recorder_late_report_replaces_what_was_assumed(house: House) -> None:
    run, recorder = house.submit(), house.recorder()
    assert house.store.outgoing.end_overdue(run.expires_at) == 1
    assert house.state(run) is HostRunState.EXPIRED
    recorder.record(house.hosts["web1"].report(house.order(run), StepOutcome.FAILED))
    assert house.state(run) is HostRunState.FAILED


def test_recorder_accepted_and_silent_becomes_unknown_until_the_report(house: House) -> None:
    run, recorder, host = house.submit(), house.recorder(), house.hosts["web1"]
    recorder.record(host.receipt(house.order(run), HostRunState.RUNNING))
    deadline = house.host_run(run).deadline_at
    assert deadline is not None
    assert house.store.outgoing.end_overdue(deadline - 1) == 0
    assert house.store.outgoing.end_overdue(deadline) == 1
    assert house.state(run) is HostRunState.UNKNOWN
    recorder.record(host.report(house.order(run)))
    assert house.state(run) is HostRunState.SUCCEEDED


def test_recorder_verified_letter_is_the_hosts_sign_of_life(house: House) -> None:
    assert Inventory(house.store).get("web1").last_signed_at is None
    house.recorder().record(house.hosts["web1"].pong("0" * 32))
    assert Inventory(house.store).get("web1").last_signed_at is not None


def test_recorder_pong_answers_its_ping_once(house: House) -> None:
    host = Inventory(house.store).get("web1")
    asked = send_ping(host, "alice", house.home.operator_key(), house.store)
    house.recorder().record(house.hosts["web1"].pong(asked.nonce))
    answered = house.store.pings.get(asked.nonce)
    assert answered is not None
    assert answered.ponged_at is not None
    assert (answered.waiting, answered.worker) == (2, "1.2.3")


def test_recorder_pong_of_another_host_answers_nothing(live_house: House) -> None:
    host = Inventory(live_house.store).get("web1")
    asked = send_ping(host, "alice", live_house.home.operator_key(), live_house.store)
    live_house.recorder().record(live_house.hosts["web2"].pong(asked.nonce))
    unanswered = live_house.store.pings.get(asked.nonce)
    assert unanswered is not None
    assert unanswered.ponged_at is None


def forged(house: House) -> dict[str, bytes]:
    """Return letters that nobody may believe."""
    order, web1 = house.order(house.submit()), house.hosts["web1"]
    stranger = SigningHost("web1", SigningKey.generate())
    liar = SigningHost("web2", web1.key)
    operator = SigningHost("web1", house.home.operator_key())
    good = web1.report(order)
    return {
        "nothing": b"",
        "noise": b"\xff\x00",
        "too large": b" " * 300_000,
        "an order": order,
        "by a stranger": stranger.report(order),
        "in another's name": liar.report(order),
        "by the operator": operator.report(order),
        "altered": good.replace(b'"sig":"', b'"sig":"A', 1),
        "cut short": good[:-1],
        "another version": web1.report(order, v=2),
    }


def test_recorder_letters_not_to_be_believed_are_not_stored(house: House) -> None:
    for what, letter in forged(house).items():
        before = house.store.envelopes.list()
        with pytest.raises(LetterError):
            house.recorder().record(letter)
        assert house.store.envelopes.list() == before, what
    assert {r.states.keys() == {"queued"} for r in house.store.runs.list()} == {True}


@settings(max_examples=20)  # each with a house of its own, which takes longer than 100 letters
@given(st.data())
def test_recorder_report_with_one_byte_changed_is_never_believed(data: st.DataObject) -> None:
    with fresh_house() as house:
        letter = bytearray(house.hosts["web1"].report(house.order(house.submit())))
        for _ in range(100):
            place = data.draw(st.integers(0, len(letter) - 1))
            changed = bytearray(letter)
            changed[place] ^= data.draw(st.integers(1, 255))
            with pytest.raises(LetterError):
                house.recorder().record(bytes(changed))


def test_recorder_removed_host_is_believed_no_more(house: House) -> None:
    run, recorder = house.submit(), house.recorder()
    recorder.record(house.hosts["web1"].receipt(house.order(run), HostRunState.RUNNING))
    Inventory(house.store).remove("web1")
    with pytest.raises(LetterError):
        recorder.record(house.hosts["web1"].report(house.order(run)))
