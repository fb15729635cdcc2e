"""The recorder as a process: the queue `reports` in, acknowledgements out."""

from collections.abc import Sequence
from itertools import pairwise

import structlog

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, PRESENCE_TASK, RECORD_TASK, host_queue
from contract.post import Post, Received
from contract.publisher import Publisher
from orchestrator.attendance import Attendance
from orchestrator.claim import LetterError
from orchestrator.recorder import Recorder
from orchestrator.store.incoming import Taken
from orchestrator.store.store import StoreError

PART = 100  # letters that are stored together: for twice as many a commit takes twice as long

_log = structlog.get_logger(__name__)


class Recording:
    """Hands letters from the wire to the recorder, and its acknowledgements back to the wire."""

    def __init__(self, recorder: Recorder, broker: str, attendance: Attendance) -> None:
        """Connect the recorder, and the hints beside it, with the broker."""
        self._recorder = recorder
        self._attendance = attendance
        self._publisher = Publisher(broker)
        self._unbelieved = 0

    def take(self, arrived: Sequence[Received]) -> None:
        """Record letters. What can't be stored now comes again: hosts repeat their reports.

        What is none is dropped; our own pings are: that they came was noted by the wire.
        """
        for word in [each.text for each in arrived if each.task == PRESENCE_TASK]:
            if not self._attendance.take(word):
                _log.debug("no_word_of_presence")
        letters = [each.text.encode() for each in arrived if each.task == RECORD_TASK]
        parts = [letters[first : first + PART] for first in range(0, len(letters), PART)]
        for part, following in pairwise([*parts, []]):
            results = self._record(part, following)
            self._tell(results)
            self._acknowledge([each for each in results if isinstance(each, Taken)])

    def _record(
        self, letters: Sequence[bytes], following: Sequence[bytes] = ()
    ) -> list[Taken | LetterError]:
        """Record them together; one that nobody foresaw is found, and keeps no other out."""
        try:
            return self._recorder.record(letters, following)
        except StoreError as error:
            _log.error("not_stored", letters=len(letters), reason=str(error))
            return []
        except Exception:  # noqa: BLE001 - whatever a host sends must not end the recorder
            if len(letters) == 1:
                _log.exception("not_recorded")
                return []
        middle = len(letters) // 2
        return [*self._record(letters[:middle]), *self._record(letters[middle:])]

    def _acknowledge(self, taken: Sequence[Taken]) -> None:
        answers = [each.acknowledgement for each in taken if each.acknowledgement]
        posts = [Post(host_queue(a.host), DELIVER_TASK, a.data.decode()) for a in answers]
        if not posts:
            return
        try:
            self._publisher.send(posts)
        except BrokerError as error:  # the hosts ask again by repeating their reports
            _log.warning("not_acknowledged", letters=len(posts), reason=str(error))

    def _tell(self, results: Sequence[Taken | LetterError]) -> None:
        for each in results:
            if isinstance(each, LetterError):
                self._unbelieved += 1
                _log.warning("not_believed", reason=str(each), so_far=self._unbelieved)
        fresh = [each for each in results if isinstance(each, Taken) and not each.repeated]
        if fresh:
            moved = sum(1 for each in fresh if each.after and each.before != each.after)
            _log.info("recorded", letters=len(fresh), moved=moved)
