"""The way in of a service: reads its queue, as many letters at a time as there are."""

from collections.abc import Callable, Sequence
from threading import Event

import structlog

from contract.broker import BrokerError
from contract.letterbox import Letterbox
from contract.post import Received

_WAIT_S = 1.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 3.0

_log = structlog.get_logger(__name__)


class Intake:
    """Hands what comes to somebody; a dead broker does not end it."""

    def __init__(
        self, broker: str, queue: str, limit: int, take: Callable[[Sequence[Received]], None]
    ) -> None:
        """Read `queue`, and give what lies there to `take`, at most `limit` letters at a time."""
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
                self._take(arrived)
        self._letterbox.close()
