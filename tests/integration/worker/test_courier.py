"""The courier on a real broker: it carries what is a letter, and outlives what is none."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK
from contract.wire import Publisher
from lab.redis import EmbeddedRedis
from tests.integration.worker.process import running
from tests.queue_reader import QueueReader
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.bell import ring
from worker.courier import EXIT_STALLED
from worker.mailbox import Care


@pytest.fixture
def log(host: WorkerHost) -> Iterator[Path]:
    """The log of a running courier."""
    with running(host, "courier") as process:
        yield process.log


def send(broker: str, queue: str, *messages: Any) -> None:
    """Put messages into a queue as they are: text, bytes, or what JSON can hold."""
    with redis.Redis.from_url(broker) as client:
        for message in messages:
            raw = message if isinstance(message, str | bytes) else json.dumps(message)
            client.lpush(queue, raw)


def message(arguments: Any, task: Any = DELIVER_TASK, **headers: Any) -> dict[str, Any]:
    """Return a message as Celery's protocol has it."""
    body = json.dumps([arguments, {}, {"callbacks": None, "chain": None}]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": task, "id": "an-id", **headers},
        "properties": {
            "delivery_tag": "a-tag",
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "x"},
        },
    }


def inbox_of(host: WorkerHost) -> list[bytes | None]:
    return [host.inbox.read(path) for path in host.inbox.letters()]


def test_deliver_puts_the_exact_bytes_into_the_inbox(
    host: WorkerHost, log: Path, publisher: Publisher, queue: str
) -> None:
    publisher.publish(queue, DELIVER_TASK, b'{"opaque": "\\u00e9"}')
    eventually(lambda: inbox_of(host) == [b'{"opaque": "\\u00e9"}'])


def test_outbox_once_is_sent_and_removed(host: WorkerHost, log: Path, reports: QueueReader) -> None:
    host.outbox.put(b"receipt", Care.ONCE)
    eventually(lambda: host.outbox.letters() == [])
    assert eventually(reports.take) == [(RECORD_TASK, b"receipt")]


def test_outbox_keep_is_sent_and_stays_until_taken_away(
    host: WorkerHost, log: Path, reports: QueueReader
) -> None:
    digest = host.outbox.put(b"report", Care.KEEP)
    assert eventually(reports.take) == [(RECORD_TASK, b"report")]
    assert len(host.outbox.letters()) == 1
    host.outbox.take_away(digest)
    host.outbox.put(b"next")
    assert eventually(reports.take) == [(RECORD_TASK, b"next")]


def test_outbox_keep_is_sent_again_when_the_broker_forgot_it(
    host: WorkerHost, log: Path, reports: QueueReader
) -> None:
    host.outbox.put(b"report", Care.KEEP)
    assert eventually(reports.take)
    assert eventually(reports.take, within=20, what="the same again") == [(RECORD_TASK, b"report")]


def test_letters_put_out_before_the_courier_started_are_sent(
    host: WorkerHost, reports: QueueReader
) -> None:
    host.outbox.put(b"early", Care.KEEP)
    with running(host, "courier"):
        assert eventually(reports.take) == [(RECORD_TASK, b"early")]


@pytest.mark.timeout(120)
def test_broker_restart_is_survived_in_both_directions(tmp_path: Path) -> None:
    """What was put out meanwhile is sent afterwards, and what comes afterwards arrives."""
    with EmbeddedRedis(tmp_path / "redis") as broker:
        host = WorkerHost(tmp_path / "host", broker.url)
        with running(host, "courier") as courier, QueueReader(broker.url, "reports") as reports:
            host.outbox.put(b"before")
            eventually(reports.take)
            broker.kill()
            host.outbox.put(b"meanwhile")
            eventually(lambda: "broker_lost" in courier.log.read_text())
            broker.start()
            letter = eventually(reports.take, within=12, what="sent soon, not at the next ping")
            assert letter == [(RECORD_TASK, b"meanwhile")]
            publisher = Publisher(broker.url)
            publisher.publish("host.web1", DELIVER_TASK, b"after")
            publisher.close()
            eventually(lambda: inbox_of(host) == [b"after"], within=30)
            assert "Traceback" not in courier.log.read_text()


DEEP = "[" * 100_000 + "]" * 100_000
HOSTILE: tuple[Any, ...] = (
    "no JSON",
    b"\xff\xfe\x00",
    "",
    "null",
    "7",
    [1, 2],
    {},
    DEEP,
    {**message(["x"]), "body": None},
    {**message(["x"]), "body": 7},
    {**message(["x"]), "body": "not base64!"},
    {**message(["x"]), "body": base64.b64encode(DEEP.encode()).decode()},
    {**message(["x"]), "body": base64.b64encode(b"null").decode()},
    {**message(["x"]), "body": base64.b64encode(b"[]").decode()},
    {**message(["x"]), "headers": None},
    {**message(["x"]), "headers": []},
    message(["x"], task="celery.backend_cleanup"),
    message(["x"], task=["a", "list"]),
    message(["x"], task=None),
    message([]),
    message(["a", "b"]),
    message(None),
    message([None]),
    message([{"a": 1}]),
    message(["\ud800"]),
    message(["x" * 1_200_000]),
)


def test_hostile_messages_are_dropped_and_the_next_good_letter_is_served(
    host: WorkerHost, log: Path, clean_redis: EmbeddedRedis, queue: str
) -> None:
    """None of them stops the process, and none leaves a letter."""
    send(clean_redis.url, queue, *HOSTILE, message(["good"]))
    eventually(lambda: inbox_of(host) == [b"good"])
    text = log.read_text()
    assert text.count("dropped a m") == len(HOSTILE)
    assert "Traceback" not in text
    assert "courier_ready" in text  # once: it was not started anew


def test_hostile_properties_of_a_good_letter_do_nothing(
    host: WorkerHost, log: Path, clean_redis: EmbeddedRedis, queue: str
) -> None:
    """Only the task's name and the one text are taken; the rest is built anew."""
    forward = {"task": DELIVER_TASK, "args": ["forged"], "options": {"queue": "host.web2"}}
    embed = {"callbacks": [forward], "errbacks": [forward], "chain": [forward], "chord": forward}
    body = base64.b64encode(json.dumps([["chained"], {}, embed]).encode()).decode()
    send(
        clean_redis.url,
        queue,
        message(["timed"], timelimit=[0.001, 0.001], expires="1970-01-01T00:00:00Z"),
        message(["later"], eta="2999-01-01T00:00:00Z", retries=99),
        message(["packed"], compression="application/x-gzip"),
        {**message(["pickled"]), "content-type": "application/x-python-serialize"},
        {**message(["tagless"]), "properties": {}},
        {**message(["chained"]), "body": body},
        message(["line\n\x1b[31mforged"], id="x\n\x1b[31mforged", reply_to="reports"),
    )
    expected = {b"timed", b"later", b"packed", b"pickled", b"tagless", b"chained"}
    eventually(lambda: {*inbox_of(host)} == expected | {b"line\n\x1b[31mforged"})
    with redis.Redis.from_url(clean_redis.url, decode_responses=True) as client:
        assert set(client.keys("*")) <= {queue}
    assert "\x1b" not in log.read_text()


def test_full_inbox_is_logged_and_served_again_when_there_is_room(
    host: WorkerHost, log: Path, publisher: Publisher, queue: str
) -> None:
    for number in range(2000):
        (host.config.inbox / f"{number}.once").touch()
    publisher.publish(queue, DELIVER_TASK, b"lost for now")
    eventually(lambda: "holds 2000 letters already" in log.read_text())
    (host.config.inbox / "0.once").unlink()
    publisher.publish(queue, DELIVER_TASK, b"comes again")
    eventually(lambda: b"comes again" in inbox_of(host))


def test_inbox_that_is_gone_is_logged_and_used_when_it_is_back(
    host: WorkerHost, log: Path, publisher: Publisher, queue: str
) -> None:
    eventually(lambda: "courier_ready" in log.read_text())
    moved = host.config.inbox.rename(host.config.state / "elsewhere")
    publisher.publish(queue, DELIVER_TASK, b"lost for now")
    eventually(lambda: "inbox_failed" in log.read_text())
    moved.rename(host.config.inbox)
    publisher.publish(queue, DELIVER_TASK, b"comes again")
    eventually(lambda: inbox_of(host) == [b"comes again"])
    assert "Traceback" not in log.read_text()


def test_outbox_that_is_gone_is_logged_and_sent_from_when_it_is_back(
    host: WorkerHost, log: Path, reports: QueueReader
) -> None:
    host.outbox.put(b"before")
    eventually(reports.take)
    moved = host.config.outbox.rename(host.config.state / "elsewhere")
    ring(moved / "bell")
    eventually(lambda: "outbox_failed" in log.read_text())
    moved.rename(host.config.outbox)
    host.outbox.put(b"after")
    assert eventually(reports.take) == [(RECORD_TASK, b"after")]


def test_ping_of_its_own_comes_back(host: WorkerHost, clean_redis: EmbeddedRedis) -> None:
    """It is heard within a moment of the start, which is what the watchdog lives on."""
    with redis.Redis.from_url(clean_redis.url, decode_responses=True) as client:
        before = client.info("commandstats").get("cmdstat_lpush", {"calls": 0})["calls"]
        with running(host, "courier"):
            eventually(
                lambda: (
                    client.info("commandstats")["cmdstat_lpush"]["calls"] > before
                    and client.llen("host.web1") == 0
                )
            )


def test_strangers_pings_are_swallowed(
    host: WorkerHost, log: Path, publisher: Publisher, queue: str
) -> None:
    publisher.publish(queue, PING_TASK, b"f" * 32)
    publisher.publish(queue, DELIVER_TASK, b"next")
    eventually(lambda: inbox_of(host) == [b"next"])


STALLED = """
import sys
from pathlib import Path
from worker import courier
from worker.config import load_config

class Deaf(courier.Sender):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._queue = "elsewhere"

courier.SELF_PING_S, courier.SILENCE_S, courier.Sender = 0.1, 1.0, Deaf
courier.run_courier(load_config(Path(sys.argv[1])))
"""


def test_courier_that_hears_nothing_of_itself_ends_to_be_started_anew(host: WorkerHost) -> None:
    """Celery would wait for ever; here its words go astray, as on a connection that is dead."""
    argv = [sys.executable, "-c", STALLED, str(host.config.path)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == EXIT_STALLED
    assert "stalled" in ended.stdout
