"""The registrar as a process: the queue `enrolments` in, answers out."""

from collections.abc import Iterable

import structlog

from contract.broker import BrokerError
from contract.enrolment import EnrolmentError
from contract.names import DELIVER_TASK, PING_TASK, RECORD_TASK, enrolment_queue
from contract.post import Received
from contract.publisher import Publisher
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

    def take(self, arrived: Iterable[Received]) -> None:
        """Answer requests, one after another; with each of our own pings, tidy.

        What can't be answered now is asked again: hosts repeat it.
        """
        for each in arrived:
            if each.task == RECORD_TASK:
                self._answer(each.text)
            elif each.task == PING_TASK:
                self.tidy()

    def _answer(self, letter: str) -> None:
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
