"""Connections to a broker of whatever kind: what serves a URL's scheme, loaded only if asked for.

A host whose broker is RabbitMQ never loads Redis' client, and the reverse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.utils.url import sanitize_url

from contract.broker import BrokerError
from contract.broker_alert import why
from contract.post import Post, Received


class Channel(Protocol):
    """What our channels can do beside what kombu asks of each."""

    def post(self, posts: Sequence[Post]) -> None:
        """Put letters into their queues, each behind or before all that lies there."""

    def fetch(self, queue: str, limit: int, within_s: float) -> list[Received]:
        """Take what lies in a queue, at most so many; wait for the first if there is none."""

    def depths(self, queues: Sequence[str]) -> list[int]:
        """Return how many messages wait in each queue."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """A transport that lets only rebuilt messages through, and what kombu is to tell it."""

    transport: str
    options: Mapping[str, Any]
    consuming: Callable[[int], Mapping[str, Any]]  # the same for who waits, asking every so many s
    endings: tuple[type[BaseException], ...] = ()  # an old connection is no more: try a new one


def _redis() -> Wiring:
    from contract.redis_transport import OPTIONS, consuming

    return Wiring("contract.redis_transport:Transport", OPTIONS, consuming)


def _amqp() -> Wiring:
    from contract.amqp_transport import ENDINGS, OPTIONS

    # Nobody asks: the broker sends.
    return Wiring("contract.amqp_transport:Transport", OPTIONS, lambda _: OPTIONS, ENDINGS)


_WIRINGS: Mapping[str, Callable[[], Wiring]] = {
    "redis": _redis,
    "rediss": _redis,
    "redis+socket": _redis,
    "amqp": _amqp,
    "amqps": _amqp,
}


def wiring_for(url: str) -> Wiring:
    """Return what serves a broker's URL."""
    return _WIRINGS[urlsplit(url).scheme]()


def connect(url: str) -> Connection:
    """Return a connection by a URL of `connection_url`; it is opened when it is first used."""
    wiring = wiring_for(url)
    return Connection(
        url,
        transport=wiring.transport,
        transport_options=dict(wiring.options),
        connect_timeout=5,
    )


def errors_of(connection: Connection) -> tuple[type[BaseException], ...]:
    """Return what is raised when a connection, or what was asked over it, fails."""
    errors = (*connection.connection_errors, *connection.channel_errors)
    return (OperationalError, OSError, *errors)


def has_ended(url: str, error: BaseException | None) -> bool:
    """Tell whether an error says that a connection had ended before it was used once more."""
    return isinstance(error, wiring_for(url).endings) and not isinstance(error, TimeoutError)


def failure(url: str, error: BaseException) -> BrokerError:
    """Return what a client's error says of a broker, without the password in its URL."""
    shown = sanitize_url(url.partition("?")[0])
    return BrokerError(f"can't reach the broker {shown}: {why(error, url)}")
