"""Publishing to RabbitMQ: a letter is in a queue, durably, or it is an error in time."""

import time

import pytest

from contract.amqp_queue import queue_arguments
from contract.broker import NO_FILES, BrokerError
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.rabbit_api import RabbitApi
from tests.waiting import eventually
from tests.wire_reader import WireReader


def test_queue_that_is_missing_is_made_durable_and_bounded(
    rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """The first letter to a host makes its queue, and no exchange or binding beside it."""
    publisher.publish(queue, DELIVER_TASK, b"x")
    known = RabbitApi(rabbit.api_url, NO_FILES).get("definitions")
    (made,) = known["queues"]
    assert (made["name"], made["durable"], made["auto_delete"]) == (queue, True, False)
    assert made["arguments"] == queue_arguments(queue)
    assert (known["exchanges"], known["bindings"]) == ([], [])


@pytest.mark.timeout(120)
def test_letters_and_publishers_outlive_a_broker_that_is_killed(
    rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """What was confirmed is on disk, and what was not taken is an error."""
    publisher.publish(queue, DELIVER_TASK, b"before")
    rabbit.kill()
    with pytest.raises(BrokerError, match="can't reach the broker"):
        publisher.publish(queue, DELIVER_TASK, b"lost, and said so")
    rabbit.start()
    publisher.publish(queue, DELIVER_TASK, b"after")
    with WireReader(rabbit.url, queue) as reader:
        assert [reader.take()[1] for _ in range(2)] == ["before", "after"]


def test_connection_that_ended_meanwhile_is_made_anew_unasked(
    rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """Between two letters the broker may have been restarted: that is no error."""
    publisher.publish(queue, DELIVER_TASK, b"before")
    api = RabbitApi(rabbit.api_url, NO_FILES)
    for found in eventually(lambda: api.get("connections")):
        api.delete("connections", found["name"])
    publisher.publish(queue, DELIVER_TASK, b"after")
    assert publisher.waiting(queue) == 2


def test_queue_that_is_full_refuses_letters_instead_of_losing_them(
    rabbit: EmbeddedRabbit, publisher: Publisher
) -> None:
    """A host keeps what `reports` does not take; a host's own queue gives up its oldest."""
    tiny = {"pattern": "", "apply-to": "queues", "definition": {"max-length": 1}, "priority": 0}
    RabbitApi(rabbit.api_url, NO_FILES).post(
        "definitions", content={"policies": [{"vhost": "denrei", "name": "tiny", **tiny}]}
    )
    publisher.publish(REPORTS_QUEUE, RECORD_TASK, b"fits")
    with pytest.raises(BrokerError, match="takes no more for queue reports: it is full"):
        publisher.publish(REPORTS_QUEUE, RECORD_TASK, b"does not")
    for letter in (b"one", b"two"):
        publisher.publish("host.web1", DELIVER_TASK, letter)
    assert publisher.waiting_in([REPORTS_QUEUE, "host.web1"]) == [1, 1]
    with WireReader(rabbit.url, "host.web1") as reader:
        assert reader.take() == (DELIVER_TASK, "two")


@pytest.mark.timeout(120)
def test_broker_that_halts_is_an_error_within_seconds(
    rabbit: EmbeddedRabbit, publisher: Publisher, queue: str
) -> None:
    """It takes what is written and never answers: nobody waits for ever."""
    publisher.publish(queue, DELIVER_TASK, b"before")
    rabbit.pause()
    began = time.monotonic()
    try:
        with pytest.raises(BrokerError, match="timed out"):
            publisher.publish(queue, DELIVER_TASK, b"no answer")
        assert time.monotonic() - began < 15
    finally:
        rabbit.pause(paused=False)
    publisher.publish(queue, DELIVER_TASK, b"after")
