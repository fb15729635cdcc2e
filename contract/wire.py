"""The wire: Celery set up so that a hostile broker can delay, but nothing more.

Every message that comes in is reduced to what may travel, a task's name and one text, and built
anew; whatever else its sender put in (time limits, callbacks, chains, compression, another
serializer) is dropped by the transport before Celery sees it. No result backend, no remote
control, gossip, mingle, heartbeat or events; a message is acknowledged before it is looked at,
since letters are sent again until a signed receipt says otherwise.
"""

import signal
import warnings
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu import Exchange, Queue

from contract.broker import connection_url
from contract.connection import wiring_for

EXIT_OK = 0
ANONYMOUS = Exchange("")
_TURN_S = 1.0


def make_app(name: str, broker: str, queue: str, poll_s: int) -> Celery:
    """Return a Celery app that consumes one queue. Its tasks are added by the caller.

    With Redis one question for what lies there waits so many seconds for an answer.
    """
    url = connection_url(broker)
    wiring = wiring_for(url)
    app = Celery(name, broker=url, set_as_current=False)
    app.conf.update(
        broker_transport=wiring.transport,
        broker_transport_options=dict(wiring.consuming(poll_s)),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=5,
        broker_heartbeat=20,
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
    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    signals.worker_ready.connect(stop_quietly, weak=False)
    signals.worker_ready.connect(_stay_awake, weak=False)
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


def _leave_logging_alone(**_arguments: object) -> None:
    """Keep Celery from setting our own loggers to the level that it is given for its own."""


def _stay_awake(sender: Any, **_arguments: object) -> None:
    """Have the loop turn now and then: one that waits for the broker sees no word to stop."""
    sender.hub.call_repeatedly(_TURN_S, lambda: None)


def stop_quietly(**_arguments: object) -> None:
    """Let SIGTERM and SIGINT end the worker in order; Celery's own handlers print to the terminal.

    Call it before `serve` where a signal that comes early would leave something behind.
    """
    from celery.worker import state  # heavy, and only consumers need it

    def stop(*_signal: object) -> None:
        state.should_stop = EXIT_OK  # type: ignore[assignment]  # the stubs know only None

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
