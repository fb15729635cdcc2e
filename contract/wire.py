"""The wire: Celery and kombu set up so that a hostile broker can delay, but nothing more.

Every message that comes in is reduced to what may travel, a task's name and one text, and built
anew; whatever else its sender put in (time limits, callbacks, chains, compression, another
serializer) is dropped before Celery sees it. One list per queue, no bindings, no result backend, no
remote control, gossip, mingle, heartbeat or events; acknowledgements are not the broker's business
(`ack_emulation` off), since letters are sent again until a signed receipt says otherwise.
"""

import base64
import binascii
import json
import signal
import time
import uuid
import warnings
from collections.abc import Sequence
from queue import Empty
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu import Connection, Exchange, Producer, Queue
from kombu.exceptions import OperationalError
from kombu.transport import redis as kombu_redis
from kombu.utils.url import sanitize_url

from contract.broker import connection_url
from contract.broker_alert import why
from contract.drops import Drops
from contract.error import DenreiError
from contract.fetch import BoundedParser, list_expected
from contract.names import DELIVER_TASK, PING_TASK, PRESENCE_TASK, RECORD_TASK

EXIT_OK = 0
MAX_MESSAGE = 1024 * 1024  # characters of one letter as it travels
_TASKS = frozenset({DELIVER_TASK, PING_TASK, PRESENCE_TASK, RECORD_TASK})
_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
ANONYMOUS = Exchange("")
_OVERTAKES = "denrei_overtakes"  # a property that never leaves this process
_drops = Drops()  # of this process


class BrokerError(DenreiError):
    """The broker can't be reached, or refuses us."""


class Channel(kombu_redis.Channel):
    """A Redis channel that survives whatever lies in its queue, and keeps no bindings."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            with list_expected():
                return super()._brpop_read(**options)  # type: ignore[misc]  # not in the stubs
        except (ValueError, RecursionError, TypeError, AttributeError) as error:
            Transport.received_at = time.monotonic()
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
    received_at = 0.0  # by the monotonic clock: when a broker last gave this process anything

    def _deliver(self, message: Any, queue: Any) -> None:
        Transport.received_at = time.monotonic()
        try:
            task, text = _essence(message)
        except (ValueError, TypeError, LookupError, RecursionError, binascii.Error) as error:
            _drops.note(f"malformed ({type(error).__name__})")
            return
        super()._deliver(_message(task, text, queue), queue)


def _essence(message: Any) -> tuple[str, str]:
    """Return what a message may carry: the task's name and its one text. Raises if it can't be."""
    task = message["headers"]["task"]
    if task not in _TASKS:
        raise ValueError
    body = message["body"]
    if len(body) > 2 * MAX_MESSAGE:
        raise ValueError
    arguments = json.loads(base64.b64decode(body, validate=True))[0]
    (text,) = arguments
    if not isinstance(text, str) or len(text) > MAX_MESSAGE or not text.isascii():
        raise ValueError
    return task, text


def _message(task: str, text: str, queue: str) -> dict[str, Any]:
    body = json.dumps([[text], {}, _EMBED]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": _headers(task),
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_tag": str(uuid.uuid4()),
            "body_encoding": "base64",
            "priority": 0,
        },
    }


def _headers(task: str) -> dict[str, Any]:
    task_id = str(uuid.uuid4())
    return {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "argsrepr": "",
        "kwargsrepr": "",
        "ignore_result": True,
    }


TRANSPORT = "contract.wire:Transport"
TRANSPORT_OPTIONS: dict[str, Any] = {
    "ack_emulation": False,
    "priority_steps": [0],
    "socket_timeout": 8,  # longer than a poll, shorter than patience
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}


def make_app(name: str, broker: str, queue: str) -> Celery:
    """Return a Celery app that consumes one queue. Its tasks are added by the caller."""
    app = Celery(name, broker=connection_url(broker), set_as_current=False)
    app.conf.update(
        broker_transport=TRANSPORT,
        broker_transport_options=TRANSPORT_OPTIONS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_default_queue=queue,
        task_default_exchange=queue,
        task_default_routing_key=queue,
        task_queues=[Queue(queue, ANONYMOUS, routing_key=queue)],
        task_create_missing_queues=False,
        task_acks_late=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        task_send_sent_event=False,
        worker_concurrency=1,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def serve(app: Celery) -> int:
    """Run the app's Celery worker in this process until SIGTERM or SIGINT.

    Returns the exit code: not 0 if Celery gave up, for example for want of rights at the broker.
    """
    # Celery warns of root because of pickle, which is refused here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    signals.worker_ready.connect(stop_quietly, weak=False)
    worker = app.Worker(
        pool_cls="solo",
        concurrency=1,
        quiet=True,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or EXIT_OK)


def stop_quietly(**_arguments: object) -> None:
    """Let SIGTERM and SIGINT end the worker in order; Celery's own handlers print to the terminal.

    Call it before `serve` where a signal that comes early would leave something behind.
    """
    from celery.worker import state  # heavy, and only consumers need it

    def stop(*_signal: object) -> None:
        state.should_stop = EXIT_OK  # type: ignore[assignment]  # the stubs know only None

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


class Publisher:
    """Sends letters to queues; not for use by two threads at once."""

    def __init__(self, broker: str) -> None:
        """Connect lazily: an absent broker is found out by the first call."""
        self._broker = connection_url(broker)
        self._connection = self._new_connection()
        self._producer: Producer | None = None

    def publish(self, queue: str, task: str, blob: bytes) -> None:
        """Put one letter into a queue. Raises BrokerError."""
        self._put(queue, task, blob)

    def overtake(self, queue: str, task: str, blob: bytes) -> None:
        """Put one letter into a queue before all that lies there. Raises BrokerError."""
        self._put(queue, task, blob, **{_OVERTAKES: True})

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue. Raises BrokerError."""
        try:
            channel: Any = self._ready().channel
            return int(channel._size(queue))  # noqa: SLF001 - a passive declare asks for EXISTS too
        except self._errors as error:
            raise self._failed(error) from error

    def waiting_in(self, queues: Sequence[str]) -> list[int]:
        """Return how many wait in each of many queues, in one round trip. Raises BrokerError."""
        try:
            channel: Any = self._ready().channel
            with channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
                for queue in queues:
                    pipe.llen(queue)
                with list_expected():
                    return [int(count) for count in pipe.execute()]
        except self._errors as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Let the connection go."""
        self._producer = None
        self._connection.release()

    def _put(self, queue: str, task: str, blob: bytes, **properties: Any) -> None:
        body = [[blob.decode()], {}, _EMBED]
        try:
            self._ready().publish(
                body,
                exchange="",
                routing_key=queue,
                headers=_headers(task),
                serializer="json",
                **properties,
            )
        except self._errors as error:
            raise self._failed(error) from error

    def _ready(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(self._connection.channel(), auto_declare=False)
        return self._producer

    def _new_connection(self) -> Connection:
        return Connection(
            self._broker,
            transport=TRANSPORT,
            transport_options=TRANSPORT_OPTIONS,
            connect_timeout=5,
        )

    @property
    def _errors(self) -> tuple[type[BaseException], ...]:
        connection = self._connection
        errors = (*connection.connection_errors, *connection.channel_errors)
        return (OperationalError, OSError, *errors)

    def _failed(self, error: BaseException) -> BrokerError:
        self.close()
        self._connection = self._new_connection()  # a released one is never opened again
        return broker_failure(self._broker, error)


def broker_failure(broker: str, error: BaseException) -> BrokerError:
    """Return what a client's error says of a broker, without the password in its URL."""
    shown = sanitize_url(broker.partition("?")[0])
    return BrokerError(f"can't reach the broker {shown}: {why(error, broker)}")
