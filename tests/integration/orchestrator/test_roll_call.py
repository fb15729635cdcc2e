"""Presence on a real Redis, with real couriers: what is asked, answered, forged and kept."""

import json
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import update

from contract.broker import BrokerError
from contract.instant import now_ms
from contract.names import DELIVER_TASK, PING_TASK, host_queue
from contract.outcome import HostRunState
from contract.presence import PresenceWord, encode_word
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.attendance import Attendance
from orchestrator.inventory import Inventory
from orchestrator.presence import Presence, verdicts
from orchestrator.roll_call import RollCall
from orchestrator.store.record import PresenceRecord
from orchestrator.store.schema import presences
from tests.integration.orchestrator.test_server import server
from tests.integration.worker.process import running
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.waiting import eventually
from tests.worker_host import WorkerHost

PERIOD_MS = 60_000


@pytest.fixture
def publisher(clean_redis: EmbeddedRedis) -> Iterator[Publisher]:
    publisher = Publisher(clean_redis.url)
    yield publisher
    publisher.close()


@pytest.fixture
def roll_call(live_house: House, publisher: Publisher) -> RollCall:
    return RollCall(live_house.store, publisher, PERIOD_MS)


@pytest.fixture
def web1(live_house: House) -> Iterator[QueueReader]:
    with QueueReader(live_house.home.broker, host_queue("web1")) as reader:
        yield reader


def record(house: House, host: str = "web1") -> PresenceRecord:
    return house.store.presences.all()[host]


def make_due(house: House, ago_ms: int = 0) -> None:
    """Let the next question be due; with `ago_ms`, let the last one be older."""
    with house.store._database.writing() as connection:
        asked_at = presences.c.asked_at - ago_ms
        connection.execute(update(presences).values(due_at=0, asked_at=asked_at))


def word(nonce: str, host: str = "web1", **changes: Any) -> str:
    values = {"at": now_ms(), "worker": "0.1.0", "inbox": 0, "outbox": 0, "taking": True}
    told = PresenceWord(**{"host": host, "nonce": nonce, **values, **changes})
    return encode_word(told).decode()


def hear(house: House, *texts: str) -> int:
    """Take words in as the recorder does, and return how many were answers."""
    attendance = Attendance(house.store)
    for text in texts:
        attendance.take(text)
    return attendance.store()


def test_each_host_is_asked_once_in_a_period(
    live_house: House, roll_call: RollCall, web1: QueueReader
) -> None:
    for _ in range(3):
        roll_call.turn()
    ((task, nonce),) = web1.take_all()
    assert task == PING_TASK
    known = record(live_house)
    assert known.nonce == nonce.decode()
    assert known.asked_at is not None
    assert known.asked_at < known.due_at <= known.asked_at + PERIOD_MS


def test_queue_of_a_host_that_is_off_does_not_fill_up(
    live_house: House, roll_call: RollCall, web1: QueueReader
) -> None:
    for _ in range(5):
        roll_call.turn()
        make_due(live_house)
    assert len(web1.take_all()) == 1
    assert record(live_house).lying == 1


def test_queue_in_which_an_order_lies_gets_no_question(
    live_house: House, roll_call: RollCall, publisher: Publisher, web1: QueueReader
) -> None:
    publisher.publish(host_queue("web1"), DELIVER_TASK, b"an order")
    roll_call.turn()
    assert web1.take_all() == [(DELIVER_TASK, b"an order")]


def test_questions_are_spread_over_the_period_by_name(live_house: House) -> None:
    names = [f"host{number}" for number in range(400)]
    call = RollCall(live_house.store, Publisher(live_house.home.broker), PERIOD_MS)
    at = sorted(call._next(name, 0) for name in names)
    assert max(b - a for a, b in pairwise(at)) < PERIOD_MS / 40


def test_answer_counts_once_and_closes_the_question(live_house: House, roll_call: RollCall) -> None:
    roll_call.turn()
    text = word(record(live_house).nonce, inbox=3)
    assert hear(live_house, text, text) == 1
    known = record(live_house)
    assert (known.open_since, known.inbox, known.skew_ms) == (None, 3, 0)
    assert hear(live_house, text) == 0  # a word that was caught can't be used again


def test_shifted_clock_is_shown_by_how_much(live_house: House, roll_call: RollCall) -> None:
    roll_call.turn()
    hear(live_house, word(record(live_house).nonce, at=now_ms() + 600_000))
    assert 599_000 < record(live_house).skew_ms <= 600_000


def test_question_that_lay_long_in_the_queue_makes_no_clock_look_wrong(
    live_house: House, roll_call: RollCall
) -> None:
    roll_call.turn()
    make_due(live_house, ago_ms=3_600_000)
    hear(live_house, word(record(live_house).nonce))
    assert record(live_house).skew_ms == 0


def forgeries(house: House) -> list[str]:
    """Words that somebody may put into `reports` who does not read the host's queue."""
    own = json.loads(word(record(house, "web2").nonce, "web2"))
    whole = json.loads(word("f" * 32))
    return [
        "",
        "null",
        "[" * 900,
        "x" * 2_000,
        word("f" * 32),
        word(record(house, "web2").nonce, "web1"),  # web2 answers for web1
        word(record(house, "web1").nonce, "nobody"),
        json.dumps({**own, "host": ["web1"]}),
        json.dumps({**whole, "nonce": ""}),
        json.dumps({**whole, "at": -1}),
        json.dumps({**whole, "inbox": 10**30}),
        json.dumps({**whole, "worker": "x" * 51}),
        json.dumps({**whole, "last_signed_at": 1}),
        json.dumps({**whole, "state": "succeeded"}),
    ]


def test_forged_words_change_nothing_at_all(live_house: House, roll_call: RollCall) -> None:
    roll_call.turn()
    run = live_house.submit()
    before = (live_house.store.presences.all(), live_house.store.hosts.all())
    assert hear(live_house, *forgeries(live_house)) == 0
    assert (live_house.store.presences.all(), live_house.store.hosts.all()) == before
    assert live_house.state(run) is HostRunState.QUEUED


def test_word_of_who_reads_the_hosts_queue_moves_the_hint_and_nothing_else(
    live_house: House, roll_call: RollCall
) -> None:
    """The broker can lie about presence; no run, signed time or letter follows from it."""
    roll_call.turn()
    run, hosts = live_house.submit(), live_house.store.hosts.all()
    assert hear(live_house, word(record(live_house).nonce, worker="forged")) == 1
    assert record(live_house).worker == "forged"
    assert live_house.store.hosts.all() == hosts
    assert live_house.host_run(run).state is HostRunState.QUEUED
    assert record(live_house, "web2").answered_at is None


def test_flood_of_strangers_words_is_bounded_and_does_not_push_out_the_true_one(
    live_house: House, roll_call: RollCall
) -> None:
    roll_call.turn()
    flood = [word(f"{number:032x}") for number in range(4_000)]
    assert hear(live_house, *flood, word(record(live_house).nonce)) == 1


def test_silence_while_nobody_could_ask_does_not_count(
    live_house: House, publisher: Publisher
) -> None:
    """After the server was away, its first turn lets all questions count from now."""
    RollCall(live_house.store, publisher, PERIOD_MS).turn()
    with live_house.store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE presences SET open_since = 1")
    RollCall(live_house.store, publisher, PERIOD_MS).turn()
    assert now_ms() - (record(live_house).open_since or 0) < 10_000


def test_questions_that_the_broker_did_not_take_stay_due(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home")
    publisher = Publisher(house.home.broker)
    with pytest.raises(BrokerError):
        RollCall(house.store, publisher, PERIOD_MS).turn()
    assert [r.host for r in house.store.presences.due(now_ms(), 9)] == ["web1"]
    publisher.close()
    house.store.close()


def test_removed_host_is_forgotten_and_asked_no_more(
    live_house: House, roll_call: RollCall, web1: QueueReader
) -> None:
    Inventory(live_house.store).remove("web1")
    roll_call.turn()
    assert web1.take_all() == []
    assert list(live_house.store.presences.all()) == ["web2"]


def test_signed_letter_shows_a_wrong_clock_and_a_right_one_afterwards(live_house: House) -> None:
    order = live_house.order(live_house.submit())
    host, recorder = live_house.hosts["web1"], live_house.recorder()
    ahead = now_ms() + 300_000
    recorder.record(host.receipt(order, HostRunState.DELIVERED, at=ahead))
    assert record(live_house).signed_skew_ms > 290_000
    recorder.record(host.receipt(order, HostRunState.RUNNING))
    assert record(live_house).signed_skew_ms == 0
    recorder.record(host.receipt(order, HostRunState.RUNNING, at=now_ms() - 300_000))
    assert record(live_house).signed_skew_ms < -290_000


def presence(house: House, host: str = "web1") -> Presence:
    hosts, period_ms = house.store.hosts.all(), house.home.presence_ms
    return verdicts(house.store, hosts, period_ms, now_ms())[host].presence


@pytest.mark.timeout(120)
def test_real_courier_is_consuming_then_silent_and_unknown_without_a_server(
    tmp_path: Path, clean_redis: EmbeddedRedis
) -> None:
    """Stopped by a signal it lives and answers nothing; the one never started was never there."""
    house = House.build(tmp_path / "home", clean_redis.url, ("web1", "web2"))
    with (house.home.path / "denrei.yaml").open("a") as settings:
        settings.write("presence: 2s\n")
    house = House(type(house.home).open(house.home.path), house.store, house.hosts)
    worker = WorkerHost(tmp_path / "worker", clean_redis.url)
    with server(house), running(worker, "courier") as courier:
        eventually(lambda: presence(house) is Presence.CONSUMING)
        eventually(lambda: presence(house, "web2") is Presence.OFFLINE)
        courier.popen.send_signal(signal.SIGSTOP)
        eventually(lambda: presence(house) is Presence.SILENT)
        courier.popen.send_signal(signal.SIGCONT)
        eventually(lambda: presence(house) is Presence.CONSUMING)
        courier.end(signal.SIGKILL)
        eventually(lambda: presence(house) is Presence.SILENT)
        with redis.Redis.from_url(clean_redis.url) as client:
            assert client.llen(host_queue("web1")) == 1
    assert presence(house) is Presence.UNKNOWN
    house.store.close()
