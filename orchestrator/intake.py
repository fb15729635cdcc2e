"""The way in of a service: reads its queue, as many letters at a time as there are."""

from collections.abc import Callable, Sequence
from threading import Event

import structlog

from contract.broker import BrokerError
from contract.letterbox import Letterbox
from contract.post import Received

LIMIT = 100  # letters at a time, for which there is one commit
_WAIT_S = 1.0
_LARGE = 64 * 1024  # characters of a letter on average: then fewer are taken at a time
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 3.0

_log = structlog.get_logger(__name__)


class Intake:
    """Hands what comes to somebody; a dead broker does not end it."""

    def __init__(self, broker: str, queue: str, take: Callable[[Sequence[Received]], None]) -> None:
        """Read `queue`, and give what lies there to `take`."""
        self._letterbox = Letterbox(broker, queue)
        self._take = take
        self._limit = 1  # grows while all is well: who floods the queue fills no memory

    def run(self, stop: Event) -> None:
        """Read until told to stop."""
        pause_s = 0.0
        while not stop.is_set():
            try:
                arrived = self._letterbox.take(_WAIT_S, self._limit)
                pause_s = 0.0
            except BrokerError as error:
                _log.debug("nothing_read", reason=str(error))  # the pulse tells people of it
                self._limit = 1
                pause_s = min(pause_s + _PAUSE_S, _LONGEST_PAUSE_S)
                stop.wait(pause_s)
                continue
            self._adapt(arrived)
            if arrived:
                self._take(arrived)
        self._letterbox.close()

    def _adapt(self, arrived: Sequence[Received]) -> None:
        is_large = sum(len(each.text) for each in arrived) > _LARGE * max(len(arrived), 1)
        self._limit = max(self._limit // 2, 1) if is_large else min(self._limit * 2, LIMIT)
