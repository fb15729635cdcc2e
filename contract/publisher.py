"""Sends letters to queues, and counts what lies in them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from contract.broker import BrokerError
from contract.connection import Channel, has_ended
from contract.link import Link
from contract.post import Post

_T = TypeVar("_T")


class Publisher:
    """Sends letters to queues; not for use by two threads at once."""

    def __init__(self, broker: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._link = Link(broker)

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
        self._link.close()

    def _ask(self, question: Callable[[Channel], _T]) -> _T:
        """Ask over the link; once more over a new one if the old one had ended meanwhile."""
        was_open = self._link.is_open
        try:
            return self._link.ask(question)
        except BrokerError as error:
            if was_open and has_ended(self._link.url, error.__cause__):
                return self._link.ask(question)
            raise
