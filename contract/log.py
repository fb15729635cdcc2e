"""Logging of every process: events with names, JSON unless a person looks on.

`structlog.contextvars.bound_contextvars(run=…, host=…, step=…)` puts its names on every line. What
comes from outside (a host's words, a program's output) can't forge lines or colours: control
characters are escaped.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from contract.acting import spelt_out

_veil: ContextVar[Callable[[Any], Any] | None] = ContextVar("denrei_veil", default=None)
_NOISY = ("celery", "kombu", "amqp", "alembic")


def configure(stream: TextIO | None = None, level: int = logging.INFO, **bound: str) -> None:
    """Send this process's logs to a stream (stderr by default); the libraries' logs too.

    `bound` stands on every line of every thread, such as process="courier".
    """
    target = stream or sys.stderr

    def add_bound(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {**bound, **event}

    shared: list[Processor] = [
        add_bound,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _cover,
        _escape,
    ]
    renderer = _renderer(target)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda name="": _Lines(name, target),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(renderer, shared))
    handler.addFilter(_without_trace)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # Warnings of the libraries to their programmers; Celery sends them here.
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


class _Lines:
    """Where the lines of one module go; ours don't pass through `logging`, which takes longer."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):  # a log that can't be written ends nobody's work
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


@contextmanager
def veiled(veil: Callable[[Any], Any]) -> Iterator[None]:
    """Pass each line that is logged meanwhile, tracebacks too, through what masks secrets."""
    token = _veil.set(veil)
    try:
        yield
    finally:
        _veil.reset(token)


def _without_trace(record: logging.LogRecord) -> bool:
    """Leave the libraries' tracebacks out: their messages name the error already."""
    if record.name.split(".")[0] in _NOISY:
        record.exc_info = None
    return True


def _formatter(renderer: Processor, shared: list[Processor]) -> logging.Formatter:
    """Write the libraries' lines as ours are written."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _renderer(target: TextIO) -> Processor:
    if not target.isatty():
        return structlog.processors.JSONRenderer(sort_keys=True, default=str)
    return structlog.dev.ConsoleRenderer(
        colors=not os.environ.get("NO_COLOR"),
        exception_formatter=structlog.dev.plain_traceback,  # others would show local variables
    )


def _cover(_logger: Any, _method: str, event: EventDict) -> EventDict:
    veil = _veil.get()
    return veil(event) if veil else event


def _escape(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: _visible(value) for name, value in event.items()}


def _visible(value: Any) -> Any:
    return spelt_out(value) if isinstance(value, str) else value
