"""The dispatcher's way to keep hosts up to date: keyrings they lack, and their newest admission.

A host that is behind is sent every version it lacks, one after another: it believes each by the one
before. It says in each signed word which it follows.
"""

from dataclasses import replace

import structlog

from contract.instant import now_ms
from contract.names import DELIVER_TASK, host_queue
from contract.post import Post
from contract.publisher import Publisher
from orchestrator.store.following import Behind
from orchestrator.store.store import Store

FIRST_PAUSE_MS = 2_000
LAST_PAUSE_MS = 600_000
_BATCH = 200
_MOST = 50  # keyrings for one host at a time

_log = structlog.get_logger(__name__)


class Leading:
    """Sends what hosts lack, turn by turn."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        """Look in the store who is behind."""
        self._store = store
        self._publisher = publisher

    def turn(self) -> None:
        """Send what is due. Raises BrokerError, StoreError."""
        now = now_ms()
        sent: list[Behind] = []
        try:
            for behind in self._store.following.due(now, _BATCH):
                sent.append(self._send(behind))  # noqa: PERF401 - keeps those before a failure
        finally:
            self._store.following.sent(sent, now)

    def _send(self, behind: Behind) -> Behind:
        """Send it: the first time in any case, then only what the host must have lost."""
        queue = host_queue(behind.host)
        pause_ms = min(max(2 * behind.pause_ms, FIRST_PAUSE_MS), LAST_PAUSE_MS)
        later = replace(behind, pause_ms=pause_ms)
        if behind.pause_ms and self._publisher.waiting(queue):
            return later
        letters = self._store.keyrings.after(behind.keyring)[:_MOST]
        letters += [behind.admission] if behind.admission else []
        self._publisher.send([Post(queue, DELIVER_TASK, letter.decode()) for letter in letters])
        _log.info("sent_to_follow", host=behind.host, behind=behind.keyring, letters=len(letters))
        return later
