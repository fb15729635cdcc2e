"""The courier over RabbitMQ: it carries what is a letter, and outlives what is none."""

from pathlib import Path

import pytest

from contract.broker import NO_FILES
from contract.essence import content_of
from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK, REPORTS_QUEUE
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.rabbit_api import RabbitApi
from tests.integration.rabbit.raw import NO_LETTERS, OTHERS_QUEUE, TOO_MUCH, letter, raw_channel
from tests.integration.worker.process import running
from tests.waiting import eventually
from tests.wire_reader import WireReader
from tests.worker_host import WorkerHost
from worker.mailbox import Care


def inbox_of(host: WorkerHost) -> list[bytes | None]:
    return [host.inbox.read(path) for path in host.inbox.letters()]


def test_letters_go_both_ways_and_nothing_else_is_made(
    host: WorkerHost, rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """Two queues, and no exchange, binding or queue of Celery's for control, events or replies."""
    publisher.publish(queue, DELIVER_TASK, b'{"opaque": "\\u00e9"}')
    with running(host, "courier") as courier, WireReader(rabbit.url, REPORTS_QUEUE) as reports:
        eventually(lambda: inbox_of(host) == [b'{"opaque": "\\u00e9"}'])
        host.outbox.put(b"receipt", Care.ONCE)
        assert reports.take() == (RECORD_TASK, "receipt")
        eventually(lambda: host.outbox.letters() == [])
        known = RabbitApi(rabbit.api_url, NO_FILES).get("definitions")
        assert sorted(found["name"] for found in known["queues"]) == [queue, REPORTS_QUEUE]
        assert (known["exchanges"], known["bindings"]) == ([], [])
        assert "Traceback" not in courier.log.read_text()


def memory_of(pid: int) -> int:
    """Return how many megabytes a process has ever had in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.timeout(120)
def test_hostile_messages_are_dropped_or_reduced_and_the_next_letter_is_served(
    host: WorkerHost, rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """One process takes them all; it neither grows, nor forwards, nor leaves any of them behind."""
    publisher.publish(queue, PING_TASK, b"makes the queue")
    with running(host, "courier") as courier, raw_channel(rabbit) as channel:
        for make in (*NO_LETTERS.values(), *TOO_MUCH.values()):
            channel.basic_publish(make(), routing_key=queue)
        channel.basic_publish(letter(content_of("next")), routing_key=queue)
        eventually(lambda: b"next" in inbox_of(host), within=30)
        kept = sorted(set(inbox_of(host)) - {None}, key=str)
        assert kept == [b"deep", b"next", b"x"]
        assert "dropped a message" in courier.log.read_text()
        assert "Traceback" not in courier.log.read_text()
        assert courier.popen.poll() is None
        assert memory_of(courier.popen.pid) < 120
        assert publisher.waiting_in([OTHERS_QUEUE, queue]) == [0, 0]


@pytest.mark.timeout(120)
def test_queue_deleted_under_the_courier_is_consumed_again_when_it_is_back(
    host: WorkerHost, rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """RabbitMQ tells its reader, who does not wait for ever on what is gone."""
    with running(host, "courier") as courier:
        for count in (1, 2, 3):  # at its very start, Celery would not hear it
            publisher.publish(queue, DELIVER_TASK, b"letter %d" % count)
            eventually(lambda: len(inbox_of(host)) == count)  # noqa: B023 - asked at once
        with raw_channel(rabbit) as channel:
            channel.queue_delete(queue)
        publisher.publish(queue, DELIVER_TASK, b"after")
        eventually(lambda: b"after" in inbox_of(host), within=30)
        assert courier.popen.poll() is None
