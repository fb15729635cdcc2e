"""Letters over AMQP, as RabbitMQ speaks it: durable queues, and only rebuilt messages come through.

A letter's task is the message's type, its text the content; nothing else of a message is read.
Publishing waits for the broker's word that it has the letter in a queue.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import amqp
from amqp.exceptions import MessageNacked
from amqp.protocol import queue_declare_ok_t
from kombu.transport import pyamqp

from contract.amqp_frame import PATIENCE_S, Plain, Secured, bounded_handler
from contract.amqp_queue import DEFAULT_EXCHANGE, OVERTAKING, exchange_of, queue_arguments
from contract.arrival import ARRIVAL
from contract.broker import BrokerError
from contract.drops import Drops
from contract.essence import MISSHAPEN, check_task, content_of, headers_of, text_in
from contract.post import Post, Received

OPTIONS: dict[str, Any] = {"confirm_publish": True}
ENDINGS = (OSError, amqp.RecoverableConnectionError)

_PAUSE_S = 2.0  # before what was refused is tried again
_PERSISTENT = 2
_AT_ONCE = 100  # messages that come in ahead: RabbitMQ counts them, and not their bytes
_drops = Drops()  # of this process


class Channel(pyamqp.Channel):
    """A channel that survives whatever lies in its queue."""

    events: dict[str, Any]  # not in the stubs
    _probe: Any = None  # for questions that end a channel if the answer is no
    _is_fetching = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._fetched: list[Any] = []  # messages that came in and were not handed out yet
        super().__init__(*arguments, **options)

    def post(self, posts: Sequence[Post]) -> None:
        """Put letters into their queues, each behind or before all that lies there.

        Raises BrokerError if there is no such queue, or if it is full.
        """
        for post in posts:
            self._post(post)

    def fetch(self, queue: str, limit: int, within_s: float) -> list[Received]:
        """Take what lies in a queue, at most so many; wait for the first if there is none."""
        limit = min(limit, _AT_ONCE)
        if not self._is_fetching:
            self.queue_declare(queue)
            self.basic_qos(0, limit, a_global=False)
            self.basic_consume(queue, callback=self._fetched.append)
            self._is_fetching = True
        self._drain(within_s)
        while len(self._fetched) < limit and self._drain(0.001):
            pass
        came, self._fetched[:] = list(self._fetched), []
        if came:
            self.basic_ack(came[-1].delivery_tag, multiple=True)
        return [Received(each.headers["task"], text_in(each.body)) for each in came]

    def _drain(self, within_s: float) -> bool:
        """Let what comes in reach its callbacks; tell whether something came."""
        before = len(self._fetched)
        try:
            self.connection.drain_events(timeout=within_s)
        except TimeoutError:
            return False
        return len(self._fetched) > before

    def _post(self, post: Post) -> None:
        queue = post.queue
        message = amqp.Message(
            content_of(post.text).encode(),
            type=post.task,
            content_type="application/json",
            delivery_mode=_PERSISTENT,
            priority=OVERTAKING if post.overtakes else 0,
        )
        if self._publish(message, queue):
            return
        if exchange_of(self.connection.user) == DEFAULT_EXCHANGE:
            self.queue_declare(queue)
            if self._publish(message, queue):
                return
        raise BrokerError(f"the broker has no way to queue {queue}: `denrei broker apply` makes it")

    def depths(self, queues: Sequence[str]) -> list[int]:
        """Return how many messages wait in each queue; none where there is no such queue."""
        return [self._depth(queue) or 0 for queue in queues]

    def queue_declare(self, queue: str = "", *_arguments: Any, **_options: Any) -> Any:
        """Make a queue as Denrei's are, unless it is there; few may make one.

        Raises RecoverableConnectionError.
        """
        depth = self._depth(queue)
        if depth is not None:
            return queue_declare_ok_t(queue, depth, 0)
        with _patiently():
            return super().queue_declare(
                queue, durable=True, auto_delete=False, arguments=dict(queue_arguments(queue))
            )

    def exchange_declare(self, *_arguments: Any, **_options: Any) -> None:
        """Make no exchange: Celery would make one for each queue."""

    def queue_bind(self, *_arguments: Any, **_options: Any) -> None:
        """Keep no binding: those that there are, the broker's administrator made."""

    def basic_consume(  # type: ignore[override]  # kombu names all that it passes
        self, queue: str, *, callback: Callable[[Any], Any], **options: Any
    ) -> Any:
        """Consume a queue; `callback` gets rebuilt messages only.

        Raises RecoverableConnectionError.
        """
        no_ack = bool(options.get("no_ack"))

        def take(message: Any) -> None:
            ARRIVAL.note()
            rebuilt = self._rebuilt(message, queue)
            if rebuilt:
                callback(rebuilt)
            elif not no_ack:
                self.basic_ack(message.delivery_tag)

        with _patiently():
            return super().basic_consume(queue, callback=take, **options)

    def _publish(self, message: Any, queue: str) -> bool:
        """Publish, and tell whether the message is in a queue. Raises BrokerError if that is full.

        A message that finds no queue comes back before the broker confirms that it has seen to it.
        """
        returned: list[Any] = []
        self.events["basic_return"] = {lambda *told: returned.append(told)}
        try:
            self.basic_publish(
                message,
                exchange=exchange_of(self.connection.user),
                routing_key=queue,
                mandatory=True,
                confirm_timeout=PATIENCE_S,
            )
        except MessageNacked:
            raise BrokerError(f"the broker takes no more for queue {queue}: it is full") from None
        return not returned

    def _depth(self, queue: str) -> int | None:
        """Return how many messages wait in a queue; None if there is no such queue."""
        if self._probe is None or not self._probe.is_open:
            self._probe = amqp.Channel(self.connection)
            self._probe.open()
        try:
            return int(self._probe.queue_declare(queue, passive=True).message_count)
        except amqp.NotFound:
            return None

    def _rebuilt(self, message: Any, queue: str) -> Any:
        """Return the message built anew of its task and its text; None if that can't be."""
        try:
            task, text = check_task(message.properties.get("type")), text_in(message.body)
        except MISSHAPEN as error:
            _drops.note(f"malformed ({type(error).__name__})")
            return None
        rebuilt = amqp.Message(
            content_of(text).encode(),
            channel=self,
            application_headers=headers_of(task),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=_PERSISTENT,
        )
        came = {name: message.delivery_info[name] for name in ("consumer_tag", "delivery_tag")}
        rebuilt.delivery_info = {**came, "redelivered": False, "exchange": "", "routing_key": queue}
        return rebuilt


class Connection(pyamqp.Connection):
    """A connection that reads no more than it must, and says so if the broker refuses its user."""

    Channel = Channel

    def __init__(self, **options: Any) -> None:
        self.user = str(options.get("userid", ""))
        super().__init__(**options, frame_handler=bounded_handler)

    def connect(self, callback: Any = None) -> Any:
        """Connect. A user that is refused may be let in later: nothing is given up."""
        try:
            return super().connect(callback)
        except amqp.AccessRefused as error:
            self.collect()
            raise amqp.RecoverableConnectionError(error.reply_text) from None

    def Transport(  # type: ignore[override]  # noqa: N802 - py-amqp's name for it
        self, host: str, connect_timeout: float, words: Any, *_timeouts: Any, **options: Any
    ) -> Plain | Secured:
        """Return the transport of frames that have a limit; it brings its own patience."""
        if words:
            return Secured(host, connect_timeout, ssl=words, **options)
        return Plain(host, connect_timeout, **options)


class Transport(pyamqp.Transport):
    """RabbitMQ as kombu asks for it."""

    Connection = Connection

    def establish_connection(self) -> Any:
        """Connect; with TLS, the broker must prove the name that the URL has."""
        client: Any = self.client
        if client.ssl:  # kombu makes an address of "localhost"
            client.ssl.setdefault("server_hostname", client.hostname or "localhost")
        return super().establish_connection()


@contextmanager
def _patiently() -> Iterator[None]:
    """Take a refusal for a lost connection, after a pause: it may be granted later."""
    try:
        yield
    except amqp.ChannelError as error:
        time.sleep(_PAUSE_S)
        raise amqp.RecoverableConnectionError(error.reply_text) from None
