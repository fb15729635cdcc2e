"""The courier over RabbitMQ: it carries what is a letter, and outlives what is none."""

from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from tests.integration.worker.process import running
from tests.waiting import eventually
from tests.wire_reader import WireReader
from tests.worker_host import WorkerHost
from worker.mailbox import Care

OTHERS_QUEUE = "host.nobody"  # whatever turns up here was published with the victim's rights
CALL = {"task": DELIVER_TASK, "args": ["forged"], "options": {"queue": OTHERS_QUEUE}, "kwargs": {}}


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
        assert "Traceback" not in courier.log.read_text()
