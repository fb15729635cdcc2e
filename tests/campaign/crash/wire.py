"""The wire between the processes: real Redis lists, read as Celery reads them.

A message is out of Redis before its task begins (`ack_emulation` is off): a consumer that is
killed takes it along.
"""

from collections.abc import Callable, Sequence
from typing import Any

import redis
from celery import Celery

from contract.names import REPORTS_QUEUE, host_queue
from contract.post import Received
from contract.redis_transport import _received


class Wire:
    """The two queues of one host."""

    def __init__(self, broker: str, host: str) -> None:
        self.deliveries, self.reports = host_queue(host), REPORTS_QUEUE
        self._broker = broker
        self._client: Any = redis.Redis.from_url(broker)
        self._seen: set[bytes] = set()
        self._copies: list[tuple[str, bytes]] = []

    def clear(self) -> None:
        """Empty both queues."""
        self._client.delete(self.deliveries, self.reports)

    def holds(self, queue: str) -> bool:
        return bool(self._client.llen(queue))

    def keep_copies(self) -> None:
        """Note what came into the queues since: a second copy of it is to come later."""
        for queue in (self.deliveries, self.reports):
            for raw in self._client.lrange(queue, 0, -1):
                if raw not in self._seen:
                    self._seen.add(raw)
                    self._copies.append((queue, raw))

    @property
    def owes_copies(self) -> bool:
        return bool(self._copies)

    def send_copies(self) -> None:
        """Put the second copies into the queues, after the first ones were taken."""
        for queue, raw in self._copies:
            self._client.lpush(queue, raw)
        self._copies.clear()

    def consume(self, queue: str, app: Celery) -> None:
        """Be the consumer of a queue until it is empty; in a process of its own."""
        client: Any = redis.Redis.from_url(self._broker)
        while (raw := self.pop(client, queue)) is not None:
            if letter := _received(raw):
                app.tasks[letter.task](letter.text)

    def drain(self, queue: str, take: Callable[[Sequence[Received]], None]) -> None:
        """Be the reader of a queue until it is empty; in a process of its own."""
        client: Any = redis.Redis.from_url(self._broker)
        while (raw := self.pop(client, queue)) is not None:
            if letter := _received(raw):
                take([letter])

    def pop(self, client: Any, queue: str) -> bytes | None:
        """Take one message out; from here on nobody has it but the consumer."""
        raw: bytes | None = client.rpop(queue)
        return raw

    def close(self) -> None:
        self._client.close()
