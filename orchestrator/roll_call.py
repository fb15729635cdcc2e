"""The roll call: the dispatcher asks every host now and then whether anybody consumes its queue.

One tiny unsigned message to each host in each period, and only into an empty queue: what lies there
unfetched is question enough. The hosts of a period are spread over it by their names.
"""

import secrets
from dataclasses import replace
from zlib import crc32

from contract.broker import BrokerError
from contract.instant import now_ms
from contract.names import PING_TASK, host_queue
from contract.post import Post
from contract.publisher import Publisher
from orchestrator.store.presences import Look
from orchestrator.store.record import PresenceRecord
from orchestrator.store.store import Store

_BATCH = 500
_SOONER = 4  # a queue that is just being emptied is looked at again after this part of a period

_GAP_MS = 10_000  # turns that lie so much further apart than they should leave a gap


class RollCall:
    """Asks the hosts that are due, turn by turn."""

    def __init__(self, store: Store, publisher: Publisher, period_ms: int) -> None:
        """Ask each host of the store once in a period."""
        self._store = store
        self._publisher = publisher
        self._period_ms = period_ms
        self._asked_at = 0  # when we could last ask

    def turn(self) -> None:
        """Ask the hosts that are due. Raises BrokerError, StoreError."""
        now = now_ms()
        if now - self._asked_at > max(self._period_ms // 2, _GAP_MS):
            # Whoever could not ask for a while must not call others silent.
            self._store.presences.count_anew(now)
        if due := self._store.presences.due(now, _BATCH):
            self._ask(due, now)
        self._asked_at = now

    def _ask(self, due: list[PresenceRecord], now: int) -> None:
        lying = self._publisher.waiting_in([host_queue(known.host) for known in due])
        looks = [self._look(known, count, now) for known, count in zip(due, lying, strict=True)]
        # Stored before they go out: an answer may come at once.
        self._store.presences.looked(looks)
        asked = [look for look in looks if not look.lying]
        if not asked:
            return
        try:
            self._publisher.send([Post(host_queue(a.of), PING_TASK, a.nonce) for a in asked])
        except BrokerError:
            self._asked_at = 0
            self._store.presences.looked([replace(look, due_at=now) for look in asked])
            raise

    def _look(self, known: PresenceRecord, lying: int, now: int) -> Look:
        due_at = self._next(known.host, now)
        if lying and known.open_since is None:
            due_at = min(due_at, now + self._period_ms // _SOONER)
        return Look(
            of=known.host,
            due_at=due_at,
            lying=lying,
            nonce=known.nonce if lying else secrets.token_hex(16),
            asked_at=known.asked_at if lying else now,
            open_since=now if known.open_since is None else known.open_since,
        )

    def _next(self, host: str, now: int) -> int:
        """Return the host's own moment in the next period."""
        phase = crc32(host.encode()) % self._period_ms
        return now + self._period_ms - (now - phase) % self._period_ms
