"""The recorder as a process: Celery's queue `reports` in, acknowledgements out."""

import structlog
from celery import Celery

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

_log = structlog.get_logger(__name__)


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
