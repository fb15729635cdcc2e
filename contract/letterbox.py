"""A queue that is read now and then, by somebody who waits for a letter: no Celery worker."""

import time
from collections import deque
from typing import Any

from kombu import Connection, Consumer, Queue

from contract.broker import connection_url
from contract.closing import Closing
from contract.wire import ANONYMOUS, TRANSPORT, TRANSPORT_OPTIONS, broker_failure


class Letterbox(Closing):
    """Takes letters out of one queue; what lies there is rebuilt, as everywhere on the wire."""

    def __init__(self, broker: str, queue: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._broker = connection_url(broker)
        self._queue = queue
        self._letters: deque[str] = deque()
        self._connection: Connection | None = None

    def take(self, within_s: float) -> str | None:
        """Wait for a letter; None if none came in time. Raises BrokerError."""
        until = time.monotonic() + within_s
        try:
            connection = self._open()
            while not self._letters and (left := until - time.monotonic()) > 0:
                _wait(connection, left)
        except self._errors as error:
            self.close()
            raise broker_failure(self._broker, error) from error
        return self._letters.popleft() if self._letters else None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(
                self._broker,
                transport=TRANSPORT,
                transport_options=TRANSPORT_OPTIONS,
                connect_timeout=5,
            )
            queue = Queue(self._queue, ANONYMOUS, routing_key=self._queue)
            consumer = Consumer(
                self._connection.channel(),
                [queue],
                no_ack=True,
                accept=["json"],
                callbacks=[self._keep],
            )
            consumer.consume()
        return self._connection

    def _keep(self, body: Any, _message: Any) -> None:
        (letter,) = body[0]
        self._letters.append(letter)

    @property
    def _errors(self) -> tuple[type[BaseException], ...]:
        known = Connection(self._broker, transport=TRANSPORT)
        return (OSError, *known.connection_errors, *known.channel_errors)


def _wait(connection: Connection, seconds: float) -> None:
    try:
        connection.drain_events(timeout=seconds)
    except TimeoutError:
        return
