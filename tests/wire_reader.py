"""Takes letters out of a queue of any broker, as its consumer would get them."""

from collections import deque
from typing import Any

from kombu import Consumer, Queue

from contract.broker import connection_url
from contract.closing import Closing
from contract.connection import connect
from contract.wire import ANONYMOUS


class WireReader(Closing):
    """Consumes one queue through our own transport, one message at a time."""

    def __init__(self, broker: str, queue: str) -> None:
        """Consume from now on."""
        self._connection = connect(connection_url(broker))
        self._found: deque[tuple[str, str]] = deque()
        channel: Any = self._connection.channel()
        channel.basic_qos(0, 1, False)  # noqa: FBT003 - AMQP's own order
        self._consumer = Consumer(
            channel,
            [Queue(queue, ANONYMOUS, routing_key=queue)],
            accept=["json"],
            callbacks=[self._keep],
        )
        self._consumer.consume()

    def take(self, within: float = 10.0) -> tuple[str, str]:
        """Wait for the next letter, with its task."""
        while not self._found:
            self._connection.drain_events(timeout=within)
        return self._found.popleft()

    def close(self) -> None:
        self._connection.collect()

    def _keep(self, body: Any, message: Any) -> None:
        (letter,) = body[0]
        self._found.append((message.headers["task"], letter))
        message.ack()
