"""A queue that is read by somebody who takes as many letters at a time as there are."""

from contract.closing import Closing
from contract.link import Link
from contract.post import Received


class Letterbox(Closing):
    """Takes letters out of one queue; not for use by two threads at once."""

    def __init__(self, broker: str, queue: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._link = Link(broker)
        self._queue = queue

    def take(self, within_s: float, limit: int = 1) -> list[Received]:
        """Take what lies there, at most so many; wait for the first if there is none.

        They are out of the queue then, whatever becomes of them. Raises BrokerError.
        """
        return self._link.ask(lambda channel: channel.fetch(self._queue, limit, within_s))

    def close(self) -> None:
        """Let the connection go."""
        self._link.close()
