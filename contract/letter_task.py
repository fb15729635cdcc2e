"""A Celery task that takes a message's one text as soon as it is there.

Celery's own way makes a request of each message, keeps books on it, and traces the call: for time
limits, retries, results, events and pools, none of which a rebuilt message can ask for here.
`Task.Strategy` is where Celery lets a task be called otherwise (decision 49).
"""

import logging
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, Task

_log = structlog.get_logger(__name__)
_logger = logging.getLogger(__name__)  # Celery has its own words for an acknowledgement that failed


def call_at_once(task: Task[Any, Any], _app: Celery, consumer: Any) -> Callable[..., None]:
    """Return what Celery's consumer calls with each message for the task."""
    errors = consumer.connection_errors

    def handle(message: Any, _body: Any, ack: Any, _reject: Any, _callbacks: Any) -> None:
        ack(_logger, errors)
        try:
            (text,), *_ = message.payload
            task.run(text)
        except Exception:  # noqa: BLE001 - as by Celery's own way, the next message is served
            _log.exception("letter_failed", task=task.name)

    return handle


class LetterTask(Task[Any, Any]):
    """Acknowledged first and then called, in the consumer's own loop."""

    Strategy = "contract.letter_task:call_at_once"
