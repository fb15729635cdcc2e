"""Messages as whoever has all rights at RabbitMQ would put them there, past our own wire."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import amqp

from contract.essence import MAX_FETCHED, content_of, headers_of
from contract.names import DELIVER_TASK
from lab.rabbit import EmbeddedRabbit

OTHERS_QUEUE = "host.nobody"  # whatever turns up here was published with the victim's rights
CALL = {"task": DELIVER_TASK, "args": ["forged"], "options": {"queue": OTHERS_QUEUE}, "kwargs": {}}


@contextmanager
def raw_channel(rabbit: EmbeddedRabbit) -> Iterator[amqp.Channel]:
    """Connect past our own wire, as whoever has all rights at the broker would."""
    address = f"127.0.0.1:{rabbit.port}"
    with amqp.Connection(address, virtual_host="denrei") as connection:
        yield connection.channel()


class _Raw(amqp.Message):
    """A message whose properties are bytes as they are."""

    raw = b""

    def _serialize_properties(self) -> bytes:
        return self.raw


def _nested() -> amqp.Message:
    """Return a letter with headers nested 20,000 deep."""
    table = b""
    for _ in range(20_000):
        table = b"A" + struct.pack(">I", len(table)) + table
    table = b"\1x" + table
    message = _Raw(content_of("deep").encode())
    task = DELIVER_TASK.encode()
    flags, size = struct.pack(">H", 1 << 13 | 1 << 5), struct.pack(">I", len(table))
    message.raw = flags + size + table + bytes((len(task),)) + task
    return message


def letter(content: str | bytes = content_of("x"), **properties: Any) -> amqp.Message:
    return amqp.Message(content, **{"type": DELIVER_TASK, **properties})


def _embedding(**embed: Any) -> amqp.Message:
    return letter(json.dumps([["x"], {"letter": "y"}, embed]))


NO_LETTERS: Mapping[str, Callable[[], amqp.Message]] = {
    "nothing at all": lambda: amqp.Message(b""),
    "text": lambda: letter(b"no JSON"),
    "bytes that are no text": lambda: letter(b"\xff\xfe\x00"),
    "a pickle": lambda: letter(b"cos\nsystem\n(S'id'\ntR.", content_type="application/x-pickle"),
    "nested content": lambda: letter(b"[" * 100_000),
    "a huge number": lambda: letter(b"[[1" + b"0" * 5000 + b"]]"),
    "two arguments": lambda: letter(json.dumps([["a", "b"], {}, {}])),
    "a number for a text": lambda: letter(json.dumps([[7], {}, {}])),
    "a surrogate": lambda: letter(json.dumps([["\ud800"], {}, {}])),
    "an unknown task": lambda: letter(type="os.system"),
    "Celery's own task": lambda: letter(type="celery.backend_cleanup"),
    "a task with escapes": lambda: letter(type="\x1b[31m\nforged"),
    "a message as Celery makes it": lambda: amqp.Message(
        content_of("x"),
        application_headers={**headers_of(DELIVER_TASK), "timelimit": [0.001, 0.001]},
        content_type="application/json",
        content_encoding="utf-8",
    ),
    "eight megabytes": lambda: letter(b"x" * 2 * MAX_FETCHED),
}

TOO_MUCH: Mapping[str, Callable[[], amqp.Message]] = {
    "time limits": lambda: letter(application_headers={"timelimit": [0.001, 0.001]}),
    "compression": lambda: letter(application_headers={"compression": "application/x-gzip"}),
    "a text codec": lambda: letter(content_encoding="punycode"),
    "another serializer": lambda: letter(content_type="application/x-python-serialize"),
    "callbacks": lambda: _embedding(callbacks=[CALL], errbacks=[CALL]),
    "a chain": lambda: _embedding(chain=[CALL], chord=CALL),
    "a reply": lambda: letter(reply_to=OTHERS_QUEUE, correlation_id="x"),
    "a date far away": lambda: letter(application_headers={"eta": "2999-01-01T00:00:00Z"}),
    "a timestamp of no time": lambda: letter(timestamp=2**62),
    "an id with line breaks": lambda: letter(message_id="x\n{}", application_headers={"id": "\n"}),
    "headers nested without end": _nested,
}
