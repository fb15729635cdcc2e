"""The recorder as a process: Celery's queue `reports` in, acknowledgements out."""

import os
import time
import uuid

import structlog
from celery import Celery

from contract.arrival import ARRIVAL
from contract.broker import BrokerError
from contract.names import (
    DELIVER_TASK,
    PING_TASK,
    PRESENCE_TASK,
    RECORD_TASK,
    REPORTS_QUEUE,
    host_queue,
)
from contract.publisher import Publisher
from contract.wire import make_app
from orchestrator.attendance import Attendance
from orchestrator.recorder import LetterError, Recorder
from orchestrator.store.record import NewEnvelope
from orchestrator.store.store import StoreError

EXIT_STALLED = 75  # EX_TEMPFAIL: the server starts it again

_SELF_PING_S = 20.0
_SILENCE_S = 40.0  # from when the broker took a word: noticed within a minute, see probe

_log = structlog.get_logger(__name__)


class Pulse:
    """Sends a word through the recorder's own queue now and then.

    A consumer whose connection died in a way that nobody noticed would stay silent for ever; if
    nothing at all comes in although the broker takes our words, the process starts anew.
    """

    def __init__(self, broker: str) -> None:
        """Use a connection of its own: it works in another thread."""
        self._publisher = Publisher(broker)
        self._reached_at = time.monotonic()
        self._ping_at = 0.0
        self._trouble = ""

    def probe(self) -> str:
        """Look at the broker; return what hinders the recorder, or nothing."""
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
        self._publisher.waiting(REPORTS_QUEUE)
        if time.monotonic() >= self._ping_at:
            self._publisher.publish(REPORTS_QUEUE, PING_TASK, uuid.uuid4().hex.encode())
            self._ping_at = time.monotonic() + _SELF_PING_S

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("hindered", reason=trouble)
        elif self._trouble and not trouble:
            _log.info("at_work_again")
        self._trouble = trouble


class Recording:
    """Hands letters from the wire to the recorder, and its acknowledgements back to the wire."""

    def __init__(self, recorder: Recorder, broker: str, attendance: Attendance) -> None:
        """Connect the recorder, and the hints beside it, with the broker."""
        self._recorder = recorder
        self._attendance = attendance
        self._publisher = Publisher(broker)
        self._unbelieved = 0

    def take(self, letter: str) -> None:
        """Record one letter. What can't be stored now comes again: hosts repeat their reports."""
        try:
            taken = self._recorder.record(letter.encode())
        except LetterError as error:
            self._unbelieved += 1
            _log.warning("not_believed", reason=str(error), so_far=self._unbelieved)
        except StoreError as error:
            _log.error("not_stored", reason=str(error))
        else:
            self._answer(taken.acknowledgement)

    def make_app(self, broker: str) -> Celery:
        """Return the Celery app with the recorder's tasks."""
        app = make_app("denrei-recorder", broker, REPORTS_QUEUE)

        @app.task(name=RECORD_TASK, shared=False)
        def record(letter: str) -> None:
            self.take(letter)

        @app.task(name=PRESENCE_TASK, shared=False)
        def presence(word: str) -> None:
            if not self._attendance.take(word):
                _log.debug("no_word_of_presence")

        @app.task(name=PING_TASK, shared=False)
        def ping(_word: str) -> None:
            """Do nothing: that it came is noted by the wire."""

        return app

    def _answer(self, acknowledgement: NewEnvelope | None) -> None:
        if acknowledgement is None:
            return
        queue = host_queue(acknowledgement.host)
        try:
            self._publisher.publish(queue, DELIVER_TASK, acknowledgement.data)
        except BrokerError as error:  # the host asks again by repeating its report
            _log.warning("not_acknowledged", host=acknowledgement.host, reason=str(error))
