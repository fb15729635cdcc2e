"""The dispatcher on a real Redis."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, REPORTS_QUEUE, host_queue
from contract.outcome import HostRunState
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.dispatch import LAGGING, LAST_PAUSE_MS, LENIENT_MS, Dispatcher
from orchestrator.inventory import Inventory
from orchestrator.ping import send_ping
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.waiting import eventually


@contextmanager
def dispatching(house: House) -> Iterator[Dispatcher]:
    """Run a dispatcher in a thread, as `run_service` does in a process."""
    publisher, stop = Publisher(house.home.broker), threading.Event()
    dispatcher = Dispatcher(house.store, publisher)
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        yield dispatcher
    finally:
        stop.set()
        thread.join(timeout=20)
        publisher.close()


def make_due(house: House) -> None:
    """Let the pause before the next publication be over."""
    with house.store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE host_runs SET next_publish_at = 0")


def test_dispatcher_publishes_each_host_its_own_exact_bytes(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    assert web1.take() == [(DELIVER_TASK, live_house.order(run, "web1"))]
    with QueueReader(live_house.home.broker, host_queue("web2")) as web2:
        assert web2.take() == [(DELIVER_TASK, live_house.order(run, "web2"))]


def test_dispatcher_order_lying_in_the_queue_is_not_published_again(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    for _ in range(8):
        dispatcher.turn()
        make_due(live_house)
    assert len(web1.take()) == 1
    assert live_house.host_run(run).publishes == 1
    assert live_house.host_run(run).pause_ms == LAST_PAUSE_MS


def test_dispatcher_order_lost_by_the_broker_is_published_again_the_same(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    web1.forget()
    dispatcher.turn()
    assert web1.take() == []  # its pause is not over
    make_due(live_house)
    dispatcher.turn()
    assert web1.take() == [(DELIVER_TASK, live_house.order(run))]
    assert live_house.host_run(run).publishes == 2


def test_dispatcher_recorder_that_lags_gets_no_more_to_do_for_half_a_minute(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    """Not for ever: who floods the reports must not keep lost orders from coming again."""
    run = live_house.submit()
    dispatcher.turn()
    web1.forget()
    with redis.Redis.from_url(live_house.home.broker) as client:
        client.rpush(REPORTS_QUEUE, *["unread"] * (LAGGING + 1))
    while live_house.host_run(run).pause_ms < LENIENT_MS:
        make_due(live_house)
        dispatcher.turn()
        assert live_house.host_run(run).publishes == 1
    make_due(live_house)
    dispatcher.turn()
    assert web1.take() == [(DELIVER_TASK, live_house.order(run))]


def test_dispatcher_order_with_a_receipt_is_done_with(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit()
    dispatcher.turn()
    web1.take()
    receipt = live_house.hosts["web1"].receipt(live_house.order(run), HostRunState.RUNNING)
    live_house.recorder().record(receipt)
    make_due(live_house)
    dispatcher.turn()
    assert web1.take() == []


def test_dispatcher_expired_order_is_ended_and_never_published(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    run = live_house.submit(expires_in=timedelta(milliseconds=1))
    eventually(lambda: dispatcher.turn() or live_house.host_run(run).ended)
    ended = live_house.host_run(run)
    assert ended.state is HostRunState.EXPIRED
    assert "no host answered" in ended.reason
    dispatcher.turn()
    assert len(web1.take()) == ended.publishes


def test_dispatcher_removed_host_gets_nothing(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    live_house.submit()
    Inventory(live_house.store).remove("web1")
    dispatcher.turn()
    assert web1.take() == []


def test_dispatcher_ping_goes_out_until_it_is_answered(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader
) -> None:
    host = Inventory(live_house.store).get("web1")
    asked = send_ping(host, "alice", live_house.home.operator_key(), live_house.store)
    dispatcher.turn()
    dispatcher.turn()
    assert len(web1.take()) == 1
    live_house.recorder().record(live_house.hosts["web1"].pong(asked.nonce))
    dispatcher.turn()
    assert web1.take() == []


def test_dispatcher_at_work_publishes_within_moments_of_the_submission(
    live_house: House, web1: QueueReader
) -> None:
    with dispatching(live_house):
        run = live_house.submit()
        eventually(web1.take, within=5.0)
        assert live_house.host_run(run).state is HostRunState.QUEUED


def test_dispatcher_dead_broker_hinders_it_and_ends_nothing(live_house: House) -> None:
    """With the broker away runs are kept, expire in time, and go out when it is back."""
    with EmbeddedRedis() as own:
        object.__setattr__(live_house.home, "broker", own.url)
        own.stop()
        with dispatching(live_house) as dispatcher:
            short = live_house.submit(expires_in=timedelta(seconds=1))
            eventually(lambda: "can't reach the broker" in dispatcher.detail)
            kept = live_house.submit()
            eventually(lambda: live_house.state(short) is HostRunState.EXPIRED)
            assert live_house.host_run(kept).publishes == 0
            own.start()
            eventually(lambda: live_house.host_run(kept).publishes == 1)
            eventually(lambda: dispatcher.detail == "")


def test_dispatcher_broker_dying_half_way_keeps_what_was_noted(live_house: House) -> None:
    with EmbeddedRedis() as own:
        publisher = Publisher(own.url)
        dispatcher = Dispatcher(live_house.store, publisher)
        first = live_house.submit()
        dispatcher.turn()
        own.kill()
        second = live_house.submit()
        with pytest.raises(BrokerError):
            dispatcher.turn()
        assert live_house.host_run(first).publishes == 1
        assert live_house.host_run(second).publishes == 0
        publisher.close()


def test_dispatcher_needs_no_key(live_house: House, web1: QueueReader) -> None:
    """Its whole keyring may be gone: what it sends was finished by others."""
    run = live_house.submit()
    shutil.rmtree(live_house.home.path / "keys")
    with dispatching(live_house):
        letters = eventually(web1.take)
    assert letters == [(DELIVER_TASK, live_house.store.envelopes.list(run_id=run.run_id)[0].data)]


def test_dispatcher_refused_by_the_broker_says_so(live_house: House) -> None:
    with EmbeddedRedis(password="right") as own:
        wrong = Publisher(own.url.replace(":right@", ":wrong@"))
        live_house.submit()
        with pytest.raises(BrokerError) as caught:
            Dispatcher(live_house.store, wrong).turn()
        assert "wrong" not in str(caught.value).replace("WRONGPASS", "")
        wrong.close()


def test_dispatcher_full_broker_loses_nothing(live_house: House) -> None:
    with EmbeddedRedis() as own, redis.Redis.from_url(own.url) as admin:
        publisher = Publisher(own.url)
        dispatcher = Dispatcher(live_house.store, publisher)
        admin.config_set("maxmemory", "1")
        run = live_house.submit()
        with pytest.raises(BrokerError):
            dispatcher.turn()
        admin.config_set("maxmemory", "0")
        dispatcher.turn()
        assert live_house.host_run(run).publishes == 1
        publisher.close()
