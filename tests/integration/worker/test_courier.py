"""The courier on a real broker: it carries what is a letter, and outlives what is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract.bell import ring
from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.integration.worker.process import running
from tests.queue_reader import QueueReader
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.mailbox import Care


@pytest.fixture
def log(host: WorkerHost) -> Iterator[Path]:
    """The log of a running courier."""
    with running(host, "courier") as process:
        yield process.log


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


def test_letter_that_a_power_loss_tore_is_not_sent_and_goes(
    host: WorkerHost, reports: QueueReader
) -> None:
    host.outbox.put(b"report", Care.KEEP)
    (torn,) = host.outbox.letters()
    torn.write_bytes(b"rep")
    with running(host, "courier"):
        eventually(lambda: not torn.exists())
        host.outbox.put(b"next")
        assert eventually(reports.take) == [(RECORD_TASK, b"next")]


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
            eventually(lambda: host.outbox.letters() == [])  # else it may be sent once more
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
    eventually(lambda: host.outbox.letters() == [])
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


def test_courier_that_waits_long_for_a_letter_ends_soon_when_told_to(
    host: WorkerHost, publisher: Publisher, queue: str
) -> None:
    """Redis is asked to wait for five minutes; nobody waits for its answer."""
    with host.config.courier_config.open("a") as config:
        config.write("keepalive: 10m\n")
    with running(host, "courier") as process:
        publisher.publish(queue, DELIVER_TASK, b"letter")
        eventually(lambda: inbox_of(host) == [b"letter"])
        assert process.end(within=20) == 0
