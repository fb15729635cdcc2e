"""What of a Celery message may travel, a task's name and one text, and the message made of these.

Whatever else a sender put in (time limits, callbacks, chains, expiry) is not taken over.
"""

import uuid
from typing import Any

import msgspec

from contract.names import DELIVER_TASK, PING_TASK, PRESENCE_TASK, RECORD_TASK

MAX_MESSAGE = 1024 * 1024  # characters of one letter as it travels
MAX_FETCHED = 4 * MAX_MESSAGE  # bytes of one message, which may hold its letter in base64

# What is raised where something is not of the shape that is expected.
MISSHAPEN = (ValueError, TypeError, LookupError, RecursionError, msgspec.DecodeError)

_TASKS = frozenset({DELIVER_TASK, PING_TASK, PRESENCE_TASK, RECORD_TASK})
_EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def check_task(task: Any) -> str:
    """Return a task's name if it is one of ours. Raises one of MISSHAPEN."""
    if task not in _TASKS:
        raise ValueError
    return str(task)


def text_in(content: bytes | str) -> str:
    """Return the one text in a message's content. Raises one of MISSHAPEN."""
    if len(content) > 2 * MAX_MESSAGE:
        raise ValueError
    (text,) = msgspec.json.decode(content)[0]
    if not isinstance(text, str) or len(text) > MAX_MESSAGE or not text.isascii():
        raise ValueError
    return text


def content_of(text: str) -> str:
    """Return a message's content that holds one text and nothing else."""
    return msgspec.json.encode([[text], {}, _EMBED]).decode()


def headers_of(task: str) -> dict[str, Any]:
    """Return the headers of a message that is for one task."""
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
