"""What the wire promises, whichever broker carries it."""

import itertools
from collections.abc import Iterator

import pytest
import redis

from contract.broker import BrokerError
from contract.essence import MAX_MESSAGE
from contract.letterbox import Letterbox
from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.post import Post
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.waiting import eventually
from tests.wire_reader import WireReader

QUEUE = host_queue("web1")


@pytest.fixture(params=["redis", "rabbit"])
def broker(request: pytest.FixtureRequest) -> str:
    """A real one of each kind, with nothing in it."""
    fixture = {"redis": "clean_redis", "rabbit": "rabbit"}[request.param]
    return str(request.getfixturevalue(fixture).url)


@pytest.fixture
def publisher(broker: str) -> Iterator[Publisher]:
    publisher = Publisher(broker)
    yield publisher
    publisher.close()


def test_letters_are_counted_and_come_in_order(broker: str, publisher: Publisher) -> None:
    assert publisher.waiting(QUEUE) == 0
    for letter in (b"one", b"two"):
        publisher.publish(QUEUE, DELIVER_TASK, letter)
    publisher.publish(REPORTS_QUEUE, RECORD_TASK, b"a report")
    assert publisher.waiting(QUEUE) == 2
    assert publisher.waiting_in([REPORTS_QUEUE, "host.web9", QUEUE]) == [1, 0, 2]
    with WireReader(broker, QUEUE) as reader:
        assert [reader.take(), reader.take()] == [(DELIVER_TASK, "one"), (DELIVER_TASK, "two")]
    assert publisher.waiting_in([REPORTS_QUEUE, QUEUE]) == [1, 0]


def test_letter_that_overtakes_comes_first(broker: str, publisher: Publisher) -> None:
    """A cancel is read before the order that it is about."""
    publisher.publish(QUEUE, DELIVER_TASK, b"an order")
    publisher.publish(QUEUE, PING_TASK, b"a ping")
    publisher.send([Post(QUEUE, DELIVER_TASK, "a cancel", overtakes=True)])
    with WireReader(broker, QUEUE) as reader:
        assert [reader.take()[1] for _ in range(3)] == ["a cancel", "an order", "a ping"]


def test_largest_letter_arrives_whole_and_a_larger_one_is_dropped(
    broker: str, publisher: Publisher
) -> None:
    largest = b"x" * MAX_MESSAGE
    publisher.publish(QUEUE, DELIVER_TASK, largest + b"x")
    publisher.publish(QUEUE, DELIVER_TASK, largest)
    with WireReader(broker, QUEUE) as reader:
        assert reader.take() == (DELIVER_TASK, largest.decode())
    eventually(lambda: publisher.waiting(QUEUE) == 0)


def test_unknown_task_is_dropped(broker: str, publisher: Publisher) -> None:
    publisher.publish(QUEUE, "os.system", b"id")
    publisher.publish(QUEUE, DELIVER_TASK, b"next")
    with WireReader(broker, QUEUE) as reader:
        assert reader.take() == (DELIVER_TASK, "next")


def test_absent_broker_is_an_error_without_the_password() -> None:
    for url in ("redis://web1:SECRET@127.0.0.1:1/0", "amqp://web1:SECRET@127.0.0.1:1/denrei"):
        publisher = Publisher(url)
        with pytest.raises(BrokerError, match=r"can't reach the broker .*web1:\*\*@") as error:
            publisher.publish(QUEUE, DELIVER_TASK, b"x")
        assert "SECRET" not in str(error.value)
        publisher.close()


def test_letterbox_takes_what_lies_there_and_drops_what_is_none(
    broker: str, publisher: Publisher
) -> None:
    """As many at a time as are asked for, the oldest first; what is no letter is passed by."""
    came: list[str] = []
    with Letterbox(broker, REPORTS_QUEUE) as box:

        def take() -> int:
            came.extend(each.text for each in box.take(0.1, 10))
            return len(came)

        assert take() == 0
        letters = [f"letter {number}" for number in range(25)]
        publisher.send([Post(REPORTS_QUEUE, RECORD_TASK, letter) for letter in letters])
        publisher.publish(REPORTS_QUEUE, RECORD_TASK, b"x" * (MAX_MESSAGE + 1))
        eventually(lambda: take() == len(letters))
        eventually(lambda: take() and publisher.waiting(REPORTS_QUEUE) == 0)
    assert came == letters


def test_letterbox_takes_few_at_a_time_where_messages_are_huge(clean_redis: EmbeddedRedis) -> None:
    """Whoever floods the queue fills the broker's memory, and not the recorder's."""
    junk = "x" * (3 * MAX_MESSAGE)
    with redis.Redis.from_url(clean_redis.url) as flood, Letterbox(clean_redis.url, "junk") as box:
        flood.lpush("junk", *[junk] * 30)
        left = [30]
        while left[-1]:
            assert box.take(0.1, 100) == []
            left.append(int(flood.llen("junk")))
    assert max(before - after for before, after in itertools.pairwise(left)) <= 5
