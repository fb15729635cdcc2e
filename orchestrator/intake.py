"""The way in of a service: reads its queue, as many letters at a time as there are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event

import structlog

from contract.broker import BrokerError
from contract.letterbox import Letterbox
from contract.post import Received

_WAIT_S = 1.0
_AT_ONCE_S = 0.001  # a wait of nothing would be one without end
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 3.0

_log = structlog.get_logger(__name__)


class Intake:
    """Hands what comes to somebody; a dead broker does not end it."""

    def __init__(
        self, broker: str, queue: str, limit: int, take: Callable[[Iterable[Received]], None]
    ) -> None:
        """Read `queue`, at most `limit` letters at a time, and give what lies there to `take`."""
        self._letterbox = Letterbox(broker, queue)
        self._limit = limit
        self._take = take

    def run(self, stop: Event) -> None:
        """Read until told to stop."""
        pause_s = 0.0
        while not stop.is_set():
            try:
                arrived = self._letterbox.take(_WAIT_S, self._limit)
                pause_s = 0.0
            except BrokerError as error:
                _log.debug("nothing_read", reason=str(error))  # the pulse tells people of it
                pause_s = min(pause_s + _PAUSE_S, _LONGEST_PAUSE_S)
                stop.wait(pause_s)
                continue
            if arrived:
                self._take(self._lying(arrived, stop))
        self._letterbox.close()

    def _lying(self, arrived: Sequence[Received], stop: Event) -> Iterator[Received]:
        """Yield what came, and while there is more than can be fetched at a time, what follows.

        It is fetched when it is asked for: who looks ahead meets no gap between two fetches.
        """
        while True:
            yield from arrived
            if len(arrived) < self._limit or stop.is_set():
                return
            try:
                arrived = self._letterbox.take(_AT_ONCE_S, self._limit)
            except BrokerError:  # the next look finds out, and waits
                return
