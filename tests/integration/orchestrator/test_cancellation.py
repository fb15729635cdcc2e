"""Tombstones on their way: signed once, published until answered, never behind their order."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.envelope import PayloadType
from contract.names import DELIVER_TASK, host_queue
from contract.order import Cancel, decode, letter_digest
from contract.outcome import HostRunState, StepOutcome
from contract.post import Post
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.audit import verify_all
from orchestrator.broker.acl import acl_file, digest_of, server_user
from orchestrator.broker.user import SERVER
from orchestrator.cancellation import CancellationError
from orchestrator.dispatch import Dispatcher
from orchestrator.progress import GRACE_MS
from orchestrator.store.record import Kind
from tests.integration.orchestrator.test_dispatch import make_due
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.signing_host import payload_of
from tests.waiting import eventually

CANCELLED, QUEUED = HostRunState.CANCELLED, HostRunState.QUEUED


def test_cancel_before_the_order_was_ever_sent_ends_it_at_once(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """Nobody can have it; the signed word who took it back stays in the record."""
    run = live_house.submit()
    ended, _ = live_house.cancel(run)
    assert (ended.state, ended.cancelling) == (CANCELLED, False)
    assert ended.reason == "cancelled by alice: a mistake (its order was never sent)"
    dispatcher.turn()
    assert web1.take() == []
    assert len(live_house.store.envelopes.list(run_id=run.run_id, kinds=[Kind.CANCEL])) == 2


def test_cancel_is_signed_for_this_order_and_as_long_as_the_order_may_run(
    house: House,
) -> None:
    run = house.submit()
    house.cancel(run, kill=True)
    payload = payload_of(house.tombstone(run), house.home.operator_key(), PayloadType.CANCEL)
    cancel = decode(payload, Cancel)
    assert (cancel.host, cancel.run_id, cancel.kill) == ("web1", run.run_id, True)
    assert cancel.order_sha256 == letter_digest(house.order(run))
    assert (cancel.ordered_at, cancel.order_expires_at) == (run.created_at, run.expires_at)
    assert cancel.expires_at == run.expires_at + run.timeout_ms + GRACE_MS


def test_cancel_of_a_sent_order_overtakes_it_in_the_queue(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """A host that comes back reads first that it is not to begin."""
    run = live_house.submit()
    dispatcher.turn()
    waiting, _ = live_house.cancel(run)
    assert (waiting.state, waiting.cancelling) == (QUEUED, True)
    assert waiting.reason == "being cancelled by alice: a mistake"
    dispatcher.turn()
    letters = [live_house.tombstone(run), live_house.order(run)]
    assert web1.take() == [(DELIVER_TASK, letter) for letter in letters]


def test_cancel_may_overtake_by_the_rules_of_the_server_s_own_user(tmp_path: Path) -> None:
    """What Redis lets the orchestrator do is not more than it needs, and not less."""
    acl, queue = tmp_path / "users.acl", host_queue("web1")
    acl.write_text(acl_file([server_user(digest_of("secret"))]))
    with EmbeddedRedis(username=SERVER, password="secret", acl_file=acl) as own:
        publisher = Publisher(own.url)
        publisher.publish(queue, DELIVER_TASK, b"order")
        publisher.send([Post(queue, DELIVER_TASK, "cancel", overtakes=True)])
        assert publisher.waiting(queue) == 2
        publisher.close()


def test_cancel_goes_out_again_the_same_and_its_order_no_more(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    live_house.cancel(run)
    for _ in range(3):
        web1.forget()
        make_due(live_house)
        dispatcher.turn()
        assert web1.take() == [(DELIVER_TASK, live_house.tombstone(run))]


@pytest.mark.parametrize("answer", ["never came", "has it", "refused", "reported"])
def test_cancel_is_done_with_once_the_host_has_answered(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader, answer: str
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    live_house.cancel(run)
    dispatcher.turn()
    web1.forget()
    host, order = live_house.hosts["web1"], live_house.order(run)
    tombstone = live_house.tombstone(run)
    letters = {
        "never came": host.receipt(order, CANCELLED, cancel=tombstone),
        "has it": host.receipt(order, HostRunState.RUNNING, cancel=tombstone),
        "refused": host.refusal(tombstone, "from_the_future"),
        "reported": host.report(order, StepOutcome.CANCELLED),
    }
    live_house.recorder().record(letters[answer])
    make_due(live_house)
    dispatcher.turn()
    assert web1.take() == []
    assert live_house.host_run(run).ended is (answer in ("never came", "reported"))


def test_cancel_with_kill_follows_a_gentle_one_that_was_published(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    live_house.cancel(run)
    gentle = live_house.tombstone(run)
    assert live_house.cancel(run) == []  # it is on its way
    dispatcher.turn()
    web1.forget()
    live_house.cancel(run, kill=True)
    late = live_house.hosts["web1"].receipt(
        live_house.order(run), HostRunState.RUNNING, cancel=gentle
    )
    live_house.recorder().record(late)  # an answer to the first is none to the second
    dispatcher.turn()
    ((_, letter),) = web1.take()
    assert letter == live_house.tombstone(run) != gentle


def test_cancel_between_the_dispatcher_s_look_and_its_note_is_due_at_once(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """The order may be on its way already, so the host must be told; and without a pause."""
    run = live_house.submit()
    letters = live_house.store.outgoing.orders(run.created_at, 10)
    waiting, _ = live_house.cancel(run)
    assert waiting.cancelling
    live_house.store.outgoing.orders_posted(letters, run.created_at)
    dispatcher.turn()
    assert web1.take() == [(DELIVER_TASK, live_house.tombstone(run))]


def test_cancel_that_nobody_answers_expires_and_says_so(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """Afterwards the tombstone still goes out: the host may have the order all the same."""
    run = live_house.submit(expires_in=timedelta(seconds=1))
    dispatcher.turn()
    live_house.cancel(run)
    eventually(lambda: dispatcher.turn() or live_house.host_run(run).ended)
    ended = live_house.host_run(run)
    assert ended.state is HostRunState.EXPIRED
    assert ended.reason.endswith("it was being cancelled by alice: a mistake")
    web1.forget()
    make_due(live_house)
    dispatcher.turn()
    assert web1.take() == [(DELIVER_TASK, live_house.tombstone(run))]


def test_cancel_of_what_ended_meanwhile_stores_nothing(house: House) -> None:
    run = house.submit()
    shares = house.store.runs.host_runs(run.run_id)
    house.recorder().record(house.hosts["web1"].report(house.order(run)))
    (after,) = house.cancel(run, host_runs=shares)
    assert (after.state, after.cancel_sha256) == (HostRunState.SUCCEEDED, None)
    assert house.store.envelopes.list(kinds=[Kind.CANCEL]) == []
    assert house.cancel(run) == []


@pytest.mark.parametrize("reason", ["x" * 2001, "\udcff"])
def test_cancel_for_a_reason_that_can_not_travel_is_refused(house: House, reason: str) -> None:
    run = house.submit()
    with pytest.raises(CancellationError, match="the reason is"):
        house.cancel(run, reason=reason)
    assert not house.host_run(run).cancelling


def test_cancel_that_is_missing_from_the_record_is_found(house: House) -> None:
    run = house.submit()
    house.cancel(run)
    with house.store._database.writing() as connection:
        drop = "DROP TRIGGER envelopes_no_DELETE"
        if not house.store._database.is_sqlite:
            drop = "ALTER TABLE envelopes DISABLE TRIGGER USER"
        connection.exec_driver_sql(drop)
        connection.exec_driver_sql("DELETE FROM envelopes WHERE kind = 'cancel'")
    (finding,) = verify_all(house.store).findings
    assert (finding.kind, finding.run_id) == (Kind.CANCEL, run.run_id)
