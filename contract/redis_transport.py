"""Letters over Redis: one list per queue, no bindings, and only rebuilt messages come through.

Acknowledgements are not the broker's business (`ack_emulation` off), since letters are sent again
until a signed receipt says otherwise.
"""

import base64
import json
import uuid
from collections.abc import Sequence
from queue import Empty
from typing import Any

from kombu.transport import redis as kombu_redis

from contract.arrival import ARRIVAL
from contract.drops import Drops
from contract.essence import (
    MAX_MESSAGE,
    MISSHAPEN,
    check_task,
    content_of,
    headers_of,
    text_in,
)
from contract.fetch import BoundedParser, list_expected

OPTIONS: dict[str, Any] = {
    "ack_emulation": False,
    "priority_steps": [0],
    "socket_timeout": 8,  # longer than a poll, shorter than patience
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

_OVERTAKES = "denrei_overtakes"  # a property that never leaves this process
_drops = Drops()  # of this process


class Channel(kombu_redis.Channel):
    """A Redis channel that survives whatever lies in its queue, and keeps no bindings."""

    def post(self, queue: str, task: str, text: str, *, overtakes: bool) -> None:
        """Put one letter into a queue, behind or before all that lies there."""
        message = self.prepare_message(
            content_of(text),
            content_type="application/json",
            content_encoding="utf-8",
            headers=headers_of(task),
            properties={"delivery_mode": 2, _OVERTAKES: overtakes},
        )
        self.basic_publish(message, exchange="", routing_key=queue)

    def depths(self, queues: Sequence[str]) -> list[int]:
        """Return how many messages wait in each queue, in one round trip."""
        # A passive declare would ask for EXISTS, too.
        with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            with list_expected():
                return [int(count) for count in pipe.execute()]

    def _brpop_read(self, **options: Any) -> Any:
        try:
            with list_expected():
                return super()._brpop_read(**options)  # type: ignore[misc]  # not in the stubs
        except (ValueError, RecursionError, TypeError, AttributeError) as error:
            ARRIVAL.note()
            _drops.note(f"not JSON ({type(error).__name__})")
            raise Empty from None

    def _put(self, queue: str, message: Any, **options: Any) -> None:
        """Put a message where readers find it last, or, if it says so, where they find it first."""
        if not message["properties"].pop(_OVERTAKES, False):
            super()._put(queue, message, **options)
            return
        with self.conn_or_acquire() as client:
            client.rpush(queue, json.dumps(message))

    def _size(self, queue: str) -> int:
        with list_expected():
            return int(super()._size(queue))

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
            task, text = _essence(message)
        except MISSHAPEN as error:
            _drops.note(f"malformed ({type(error).__name__})")
            return
        super()._deliver(_message(task, text, queue), queue)


def _essence(message: Any) -> tuple[str, str]:
    """Return what a message may carry: the task's name and its one text. Raises if it can't be."""
    task = check_task(message["headers"]["task"])
    body = message["body"]
    if len(body) > 2 * MAX_MESSAGE:
        raise ValueError
    return task, text_in(base64.b64decode(body, validate=True))


def _message(task: str, text: str, queue: str) -> dict[str, Any]:
    return {
        "body": base64.b64encode(content_of(text).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": headers_of(task),
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_tag": str(uuid.uuid4()),
            "body_encoding": "base64",
            "priority": 0,
        },
    }
