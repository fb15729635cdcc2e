"""A queue that is read by somebody who takes as many letters at a time as there are."""

from typing import Any

from contract.broker import connection_url
from contract.closing import Closing
from contract.connection import connect, errors_of, failure
from contract.post import Received


class Letterbox(Closing):
    """Takes letters out of one queue; not for use by two threads at once."""

    def __init__(self, broker: str, queue: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._broker = connection_url(broker)
        self._queue = queue
        self._connection = connect(self._broker)
        self._channel: Any = None

    def take(self, within_s: float, limit: int = 1) -> list[Received]:
        """Take what lies there, at most so many; wait for the first if there is none.

        They are out of the queue then, whatever becomes of them. Raises BrokerError.
        """
        try:
            if self._channel is None:
                self._channel = self._connection.channel()
            found: list[Received] = self._channel.fetch(self._queue, limit, within_s)
        except errors_of(self._connection) as error:
            self._renew()
            raise failure(self._broker, error) from error
        return found

    def close(self) -> None:
        """Let the connection go."""
        self._channel = None
        self._connection.release()

    def _renew(self) -> None:
        self._channel = None
        self._connection.collect()  # without a farewell: nobody may be there to answer
        self._connection = connect(self._broker)
