"""Looks into a queue as its consumer would find it."""

import base64
import json
from typing import Any, Self

import redis

from contract.names import PING_TASK


class QueueReader:
    """Takes messages out of one list in Redis."""

    def __init__(self, broker: str, queue: str) -> None:
        self._client: Any = redis.Redis.from_url(broker)
        self._queue = queue

    def take(self) -> list[tuple[str, bytes]]:
        """Take everything out and return the letters, each with its task, without the pings."""
        return [found for found in self.take_all() if found[0] != PING_TASK]

    def take_all(self) -> list[tuple[str, bytes]]:
        """Take everything out: each message's task and text."""
        found = []
        while (raw := self._client.rpop(self._queue)) is not None:
            message = json.loads(raw)
            ((letter,), _options, _embed) = json.loads(base64.b64decode(message["body"]))
            found.append((message["headers"]["task"], letter.encode()))
        return found

    def forget(self) -> None:
        """Lose the queue, as a broker without persistence does."""
        self._client.delete(self._queue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
