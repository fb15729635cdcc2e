"""The registrar as a process: Celery's queue `enrolments` in, answers out."""

import structlog
from celery import Celery

from contract.broker import BrokerError
from contract.enrolment import EnrolmentError
from contract.names import DELIVER_TASK, ENROLMENTS_QUEUE, PING_TASK, RECORD_TASK, enrolment_queue
from contract.publisher import Publisher
from contract.wire import make_app
from orchestrator.registrar import Registrar
from orchestrator.store.store import StoreError

_log = structlog.get_logger(__name__)


class Admitting:
    """Hands requests from the wire to the registrar, and its answers back to the wire."""

    def __init__(self, registrar: Registrar, broker: str) -> None:
        """Connect the registrar with the broker."""
        self._registrar = registrar
        self._publisher = Publisher(broker)
        self._unbelieved = 0

    def take(self, letter: str) -> None:
        """Answer one request. What can't be answered now is asked again: hosts repeat it."""
        try:
            reply = self._registrar.take(letter.encode())
            queue = enrolment_queue(reply.id)
            if not self._publisher.waiting(queue):  # else it has not read the last answer yet
                self._publisher.publish(queue, DELIVER_TASK, reply.letter)
        except EnrolmentError as error:
            self._unbelieved += 1
            _log.warning("not_believed", reason=str(error), so_far=self._unbelieved)
        except (StoreError, BrokerError) as error:
            _log.error("not_answered", reason=str(error))

    def tidy(self) -> None:
        """End what has run out."""
        try:
            self._registrar.tidy()
        except StoreError as error:
            _log.error("not_tidied", reason=str(error))

    def make_app(self, broker: str) -> Celery:
        """Return the Celery app with the registrar's tasks."""
        app = make_app("denrei-registrar", broker, ENROLMENTS_QUEUE)

        @app.task(name=RECORD_TASK, shared=False)
        def record(letter: str) -> None:
            self.take(letter)

        @app.task(name=PING_TASK, shared=False)
        def ping(_word: str) -> None:
            """Tidy: this is our own word, which comes every few seconds."""
            self.tidy()

        return app
