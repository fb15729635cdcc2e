"""The pulse of a service that consumes a queue: whether the wire is alive both ways."""

import os
import time
import uuid

import structlog

from contract.arrival import ARRIVAL
from contract.broker import BrokerError
from contract.names import PING_TASK
from contract.publisher import Publisher

EXIT_STALLED = 75  # EX_TEMPFAIL: the server starts it again

_SELF_PING_S = 20.0
_SILENCE_S = 40.0  # from when the broker took a word: noticed within a minute, see probe

_log = structlog.get_logger(__name__)


class Pulse:
    """Sends a word through a service's own queue now and then.

    A consumer whose connection died in a way that nobody noticed would stay silent for ever; if
    nothing at all comes in although the broker takes our words, the process starts anew.
    """

    def __init__(self, broker: str, queue: str) -> None:
        """Watch over one queue, with a connection of its own: it works in another thread."""
        self._queue = queue
        self._publisher = Publisher(broker)
        self._reached_at = time.monotonic()
        self._ping_at = 0.0
        self._trouble = ""

    def probe(self) -> str:
        """Look at the broker; return what hinders the service, or nothing."""
        try:
            self._ask_broker()
        except BrokerError as error:
            self._say(str(error))
            self._reached_at = time.monotonic()  # the broker's silence is not ours
        else:
            self._say("")
        silent_s = time.monotonic() - max(self._reached_at, ARRIVAL.at)
        if silent_s > _SILENCE_S:
            _log.error("stalled", silent_s=round(silent_s))
            os._exit(EXIT_STALLED)
        return self._trouble

    def _ask_broker(self) -> None:
        self._publisher.waiting(self._queue)
        if time.monotonic() >= self._ping_at:
            self._publisher.publish(self._queue, PING_TASK, uuid.uuid4().hex.encode())
            self._ping_at = time.monotonic() + _SELF_PING_S

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("hindered", reason=trouble)
        elif self._trouble and not trouble:
            _log.info("at_work_again")
        self._trouble = trouble
