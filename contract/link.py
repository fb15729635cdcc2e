"""One connection to the broker: made when it is first used, and anew after it has failed."""

from collections.abc import Callable
from typing import Any, TypeVar

from contract.broker import connection_url
from contract.closing import Closing
from contract.connection import Channel, connect, errors_of, failure

_T = TypeVar("_T")


class Link(Closing):
    """Asks things of the broker over one channel; not for use by two threads at once."""

    def __init__(self, broker: str) -> None:
        """Connect lazily: an absent broker is found out by the first question."""
        self.url = connection_url(broker)
        self._connection = connect(self.url)
        self._channel: Any = None

    @property
    def is_open(self) -> bool:
        """Tell whether something was asked before, and nothing has failed since."""
        return self._channel is not None

    def ask(self, question: Callable[[Channel], _T]) -> _T:
        """Return the channel's answer. Raises BrokerError."""
        try:
            if self._channel is None:
                self._channel = self._connection.channel()
            return question(self._channel)
        except errors_of(self._connection) as error:
            self._renew()
            raise failure(self.url, error) from error

    def close(self) -> None:
        """Let the connection go."""
        self._channel = None
        self._connection.release()

    def _renew(self) -> None:
        self._channel = None
        self._connection.collect()  # without a farewell: nobody may be there to answer
        self._connection = connect(self.url)
