"""A queue that is read now and then, by somebody who waits for a letter: no Celery worker."""

import time
from collections import deque
from typing import Any

from kombu import Connection, Consumer, Queue

from contract.broker import connection_url
from contract.closing import Closing
from contract.connection import connect, errors_of, failure
from contract.wire import ANONYMOUS


class Letterbox(Closing):
    """Takes letters out of one queue; what lies there is rebuilt, as everywhere on the wire."""

    def __init__(self, broker: str, queue: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._broker = connection_url(broker)
        self._queue = queue
        self._letters: deque[str] = deque()
        self._connection: Connection | None = None
        self._is_consuming = False

    def take(self, within_s: float) -> str | None:
        """Wait for a letter; None if none came in time. Raises BrokerError."""
        until = time.monotonic() + within_s
        connection = self._connection or self._open()
        try:
            self._consume(connection)
            while not self._letters and (left := until - time.monotonic()) > 0:
                _wait(connection, left)
        except errors_of(connection) as error:
            self.close()
            raise failure(self._broker, error) from error
        return self._letters.popleft() if self._letters else None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None

    def _open(self) -> Connection:
        self._connection = connect(self._broker)
        self._is_consuming = False
        return self._connection

    def _consume(self, connection: Connection) -> None:
        if self._is_consuming:
            return
        queue = Queue(self._queue, ANONYMOUS, routing_key=self._queue)
        Consumer(
            connection.channel(),
            [queue],
            no_ack=True,
            accept=["json"],
            callbacks=[self._keep],
        ).consume()
        self._is_consuming = True

    def _keep(self, body: Any, _message: Any) -> None:
        (letter,) = body[0]
        self._letters.append(letter)


def _wait(connection: Connection, seconds: float) -> None:
    try:
        connection.drain_events(timeout=seconds)
    except TimeoutError:
        return
