"""Fetching from a Redis that may hold anything: how much is read, and what passes by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis._parsers import _RESP2Parser
from redis._parsers.socket import SocketBuffer

from contract.essence import MAX_FETCHED


class _Buffer(SocketBuffer):
    """What Redis sends, unless it is larger than any message of ours: that is not even read."""

    def read(self, length: int, *arguments: Any, **options: Any) -> bytes:
        """Read a value of known length. Raises ConnectionError, which ends the connection."""
        if length > MAX_FETCHED:
            raise redis.ConnectionError(f"dropped a message of {length} bytes unread")
        return super().read(length, *arguments, **options)


class BoundedParser(_RESP2Parser):
    """Redis' protocol, read through a buffer that has a limit.

    Redis takes values of half a gigabyte. redis-py would read one whole, several times over in
    memory, before anybody could look at its size.
    """

    def on_connect(self, connection: Any) -> None:
        """Put the limit between the connection and the protocol."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]
        self._buffer = _Buffer(
            connection._sock,  # noqa: SLF001 - as redis-py's own parser does it
            self.socket_read_size,
            connection.socket_timeout,
        )


@contextmanager
def list_expected() -> Iterator[None]:
    """Take a queue that is no list for a lost connection: it may be one again, soon.

    Other refusals, such as for want of rights, don't pass by themselves: Celery gives up.
    """
    try:
        yield
    except redis.ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        raise redis.ConnectionError(f"the queue is no list: {error}") from None
