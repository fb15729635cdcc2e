"""Sends letters to queues, and counts what lies in them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from contract.broker import BrokerError, connection_url
from contract.connection import Channel, connect, errors_of, failure, has_ended
from contract.post import Post

_T = TypeVar("_T")


class Publisher:
    """Sends letters to queues; not for use by two threads at once."""

    def __init__(self, broker: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._broker = connection_url(broker)
        self._connection = connect(self._broker)
        self._channel: Any = None

    def publish(self, queue: str, task: str, blob: bytes) -> None:
        """Put one letter into a queue. Raises BrokerError."""
        self.send([Post(queue, task, blob.decode())])

    def send(self, posts: Sequence[Post]) -> None:
        """Put many letters into their queues. Raises BrokerError; some may be there then."""
        self._ask(lambda channel: channel.post(posts))

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue. Raises BrokerError."""
        return self.waiting_in([queue])[0]

    def waiting_in(self, queues: Sequence[str]) -> list[int]:
        """Return how many wait in each of many queues. Raises BrokerError."""
        return self._ask(lambda channel: channel.depths(queues)) if queues else []

    def close(self) -> None:
        """Let the connection go."""
        self._channel = None
        self._connection.release()

    def _ask(self, question: Callable[[Channel], _T]) -> _T:
        """Ask over the connection; once more over a new one if the old one had ended meanwhile."""
        was_open = self._channel is not None
        try:
            return self._answer(question)
        except BrokerError as error:
            if was_open and has_ended(self._broker, error.__cause__):
                return self._answer(question)
            raise

    def _answer(self, question: Callable[[Channel], _T]) -> _T:
        try:
            if self._channel is None:
                self._channel = self._connection.channel()
            return question(self._channel)
        except errors_of(self._connection) as error:
            self._renew()
            raise failure(self._broker, error) from error

    def _renew(self) -> None:
        self._channel = None
        self._connection.collect()  # without a farewell: nobody may be there to answer
        self._connection = connect(self._broker)
