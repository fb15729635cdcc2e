"""The attendance: takes couriers' unsigned words of presence in, and stores them many at a time.

A word is a hint. It is bounded in size and shape, counts only as the answer to the question that
was last put into that host's own queue, and moves nothing but the hint.
"""

import threading
from typing import Self

import structlog

from contract.instant import now_ms
from contract.presence import PresenceError, decode_word
from orchestrator.store.presences import Answer
from orchestrator.store.store import Store, StoreError

PERIOD_S = 0.25  # how often what came in is stored: long before the next question makes it void
MAX_KEPT = 5_000  # words in this time; what is beyond is dropped

_log = structlog.get_logger(__name__)


class Attendance(threading.Thread):
    """Keeps each host's newest words in memory and stores them a few times a second."""

    def __init__(self, store: Store) -> None:
        """Store into `store`."""
        super().__init__(name="attendance", daemon=True)
        self._store = store
        self._answers: dict[tuple[str, str], Answer] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()

    def take(self, text: str) -> bool:
        """Take a word in; tell whether it was one. Nothing is stored yet."""
        try:
            word = decode_word(text)
        except PresenceError:
            return False
        answer = Answer(
            of=word.host,
            to=word.nonce,
            at=word.at,
            came_at=now_ms(),
            worker=word.worker,
            inbox=word.inbox,
            outbox=word.outbox,
            taking=word.taking,
        )
        with self._lock:
            if len(self._answers) >= MAX_KEPT:
                return False
            # By host and nonce: a stranger's word must not push out the true one.
            self._answers.setdefault((word.host, word.nonce), answer)
        return True

    def store(self) -> int:
        """Store what came in since; return how many words were answers. Raises StoreError."""
        with self._lock:
            answers, self._answers = list(self._answers.values()), {}
        return self._store.presences.answered(answers) if answers else 0

    def run(self) -> None:
        """Store what came in, again and again, until the end."""
        while not self._end.wait(PERIOD_S):
            try:
                self.store()
            except StoreError as error:  # they are hints: the next ones will do
                _log.warning("presence_not_stored", reason=str(error))

    def __enter__(self) -> Self:
        """Begin to store."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Store no more."""
        self._end.set()
        self.join(timeout=PERIOD_S * 5)
