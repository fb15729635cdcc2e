"""The way in of a service: all that lies in its queue, in its sequence."""

from collections.abc import Iterable
from contextlib import closing
from threading import Event

from contract.names import RECORD_TASK, REPORTS_QUEUE
from contract.post import Post, Received
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.intake import Intake


class Taker:
    """Notes what each call brought, and stops the intake when all of it has come."""

    def __init__(self, expected: int) -> None:
        self.stop = Event()
        self.calls: list[list[str]] = []
        self._expected = expected

    def take(self, arrived: Iterable[Received]) -> None:
        self.calls.append([each.text for each in arrived])
        if sum(map(len, self.calls)) >= self._expected:
            self.stop.set()


def taken(broker: str, texts: list[str], limit: int) -> list[list[str]]:
    """Return what an intake hands on of letters that lie there, call by call."""
    with closing(Publisher(broker)) as publisher:
        publisher.send([Post(REPORTS_QUEUE, RECORD_TASK, text) for text in texts])
    taker = Taker(len(texts))
    Intake(broker, REPORTS_QUEUE, limit, taker.take).run(taker.stop)
    return taker.calls


def test_intake_more_than_one_fetch_brings_comes_as_one_stream(clean_redis: EmbeddedRedis) -> None:
    texts = [str(number) for number in range(7)]
    assert taken(clean_redis.url, texts, limit=3) == [texts]


def test_intake_what_one_fetch_brings_is_not_waited_after(clean_redis: EmbeddedRedis) -> None:
    assert taken(clean_redis.url, ["a", "b"], limit=3) == [["a", "b"]]


def test_intake_whole_number_of_fetches_ends_when_the_queue_is_empty(
    clean_redis: EmbeddedRedis,
) -> None:
    texts = [str(number) for number in range(6)]
    assert taken(clean_redis.url, texts, limit=3) == [texts]
