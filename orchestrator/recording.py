"""The recorder as a process: the queue `reports` in, acknowledgements out."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise

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

PART = 200  # letters that are stored together: with more each of them costs hardly less
FIRST_PART = 20  # until these are stored nothing is verified beforehand

_log = structlog.get_logger(__name__)


class Recording:
    """Hands letters from the wire to the recorder, and its acknowledgements back to the wire."""

    def __init__(self, recorder: Recorder, broker: str, attendance: Attendance) -> None:
        """Connect the recorder, and the hints beside it, with the broker."""
        self._recorder = recorder
        self._attendance = attendance
        self._publisher = Publisher(broker)
        self._unbelieved = 0

    def take(self, arrived: Iterable[Received]) -> None:
        """Record letters. What can't be stored now comes again: hosts repeat their reports.

        What is none is dropped; our own pings are: that they came was noted by the wire.
        """
        for part, following in pairwise(chain(_parts(self._letters(arrived)), [[]])):
            results = self._record(part, following)
            self._tell(results)
            self._acknowledge([each for each in results if isinstance(each, Taken)])

    def _letters(self, arrived: Iterable[Received]) -> Iterator[bytes]:
        for each in arrived:
            if each.task == RECORD_TASK:
                yield each.text.encode()
            elif each.task == PRESENCE_TASK and not self._attendance.take(each.text):
                _log.debug("no_word_of_presence")

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


def _parts(letters: Iterator[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield letters in the parts in which they are stored, each only when it is asked for."""
    size = FIRST_PART
    while part := list(islice(letters, size)):
        yield part
        size = PART
