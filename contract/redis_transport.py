"""Letters over Redis: one list per queue, no bindings, and only rebuilt messages come through.

Acknowledgements are not the broker's business (`ack_emulation` off), since letters are sent again
until a signed receipt says otherwise.
"""

import base64
from collections.abc import Sequence
from queue import Empty
from typing import Any

import msgspec
import redis
from kombu.transport import redis as kombu_redis

from contract.arrival import ARRIVAL
from contract.drops import Drops
from contract.essence import (
    MAX_FETCHED,
    MAX_MESSAGE,
    MISSHAPEN,
    check_task,
    content_of,
    headers_of,
    text_in,
)
from contract.fetch import BoundedParser, list_expected
from contract.post import Post, Received

OPTIONS: dict[str, Any] = {
    "ack_emulation": False,
    "priority_steps": [0],
    "socket_timeout": 8,  # shorter than patience
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

_SLACK_S = 3.0  # for an answer that is under way


def consuming(poll_s: int) -> dict[str, Any]:
    """Return the options of who waits for letters: one BRPOP lasts so many seconds.

    What it brings comes at once all the same. redis-py asks an idle server first whether it is
    there; who sends itself words need not.
    """
    return {
        **OPTIONS,
        "polling_interval": poll_s,
        "socket_timeout": max(OPTIONS["socket_timeout"], poll_s + _SLACK_S),
        "health_check_interval": max(OPTIONS["health_check_interval"], poll_s + _SLACK_S),
    }


_AT_ONCE = 16 * MAX_MESSAGE  # bytes that are fetched together, as far as that can be foreseen
_drops = Drops()  # of this process


class _Headers(msgspec.Struct):
    """What is read of a message's headers."""

    task: str


class _Message(msgspec.Struct):
    """What is read of a message."""

    headers: _Headers
    body: bytes  # in base64, which msgspec undoes


class Channel(kombu_redis.Channel):
    """A Redis channel that survives whatever lies in its queue, and keeps no bindings."""

    _largest = MAX_FETCHED  # of the messages that were fetched last
    _client: redis.Redis | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Ask whether the server is there, and let go of what that was asked by.

        kombu would hold it for ever, and a Redis pays for each connection of each host.
        """
        super().__init__(*arguments, **options)
        _let_go(self.async_pool)

    def post(self, posts: Sequence[Post]) -> None:
        """Put letters into their queues, in one round trip."""
        with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            for post in posts:
                put = pipe.rpush if post.overtakes else pipe.lpush
                put(post.queue, msgspec.json.encode(_message(post.task, post.text, post.queue)))
            with list_expected():
                pipe.execute()

    def fetch(self, queue: str, limit: int, within_s: float) -> list[Received]:
        """Take what lies in a queue, at most so many; wait for the first if there is none.

        They are fewer after large ones: who floods a queue fills no memory for long.
        """
        more = min(limit, max(_AT_ONCE // self._largest, 1)) - 1
        with self.conn_or_acquire() as client, list_expected():
            first = client.brpop([queue], timeout=within_s)
            if first is None:
                return []
            came = [first[1], *((client.rpop(queue, more) or ()) if more else ())]
        ARRIVAL.note()
        self._largest = max(map(len, came)) or 1
        return [each for raw in came if (each := _received(raw))]

    def depths(self, queues: Sequence[str]) -> list[int]:
        """Return how many messages wait in each queue, in one round trip."""
        # A passive declare would ask for EXISTS, too.
        with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            with list_expected():
                return [int(count) for count in pipe.execute()]

    def _create_client(self, *arguments: Any, **options: Any) -> Any:
        """Return the client that speaks over the pool: made once, not for each question."""
        if arguments or options:  # the one that waits in Celery's loop, which kombu keeps itself
            return super()._create_client(*arguments, **options)  # type: ignore[misc]
        if self._client is None or self._client.connection_pool is not self.pool:
            self._client = super()._create_client()  # type: ignore[misc]  # not in the stubs
        return self._client

    def close(self) -> None:
        """Let the queue go at once: what a BRPOP was about to bring is published again."""
        if waiting := getattr(self, "_in_poll", None):  # a connection; not in the stubs
            waiting.disconnect()
        super().close()

    def _brpop_read(self, **options: Any) -> Any:
        try:
            with list_expected():
                return super()._brpop_read(**options)  # type: ignore[misc]  # not in the stubs
        except (ValueError, RecursionError, TypeError, AttributeError) as error:
            ARRIVAL.note()
            _drops.note(f"not JSON ({type(error).__name__})")
            raise Empty from None

    def _size(self, queue: str) -> int:
        with list_expected():
            size = int(super()._size(queue))
        _let_go(self.pool)
        return size

    def _connparams(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        parameters = super()._connparams(*arguments, **options)  # type: ignore[misc]
        return {**parameters, "parser_class": BoundedParser, "protocol": 2}

    def _queue_bind(self, *_arguments: Any) -> None:
        """Keep no binding: everything is published to the anonymous exchange by queue name."""


class Transport(kombu_redis.Transport):
    """A Redis transport that lets only rebuilt messages through."""

    Channel = Channel

    def _deliver(self, message: Any, queue: Any) -> None:
        ARRIVAL.note()
        try:
            task, text = _essence(msgspec.convert(message, _Message))
        except MISSHAPEN as error:
            _drops.note(f"malformed ({type(error).__name__})")
            return
        super()._deliver(_message(task, text, queue), queue)


def _let_go(pool: redis.ConnectionPool) -> None:
    """Close what nobody uses; who needs a connection opens one."""
    pool.disconnect(inuse_connections=False)


def _received(raw: bytes) -> Received | None:
    """Return the letter in what lay in a queue; nothing if there is none in it."""
    try:
        task, text = _essence(msgspec.json.decode(raw, type=_Message))
    except MISSHAPEN as error:
        _drops.note(f"malformed ({type(error).__name__})")
        return None
    return Received(task, text)


def _essence(message: _Message) -> tuple[str, str]:
    """Return what a message may carry: the task's name and its one text. Raises if it can't be."""
    return check_task(message.headers.task), text_in(message.body)


def _message(task: str, text: str, queue: str) -> dict[str, Any]:
    headers = headers_of(task)
    return {
        "body": base64.b64encode(content_of(text).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_tag": headers["id"],
            "body_encoding": "base64",
            "priority": 0,
        },
    }
