"""RabbitMQ's queues and exchanges for Denrei: what they are like, and who publishes through which.

Whoever may write to the default exchange may write to every queue, so only the orchestrator does.
A host, or the holder of a token, has an exchange of its own, which leads to its own queue and to
the one that the orchestrator reads, and nowhere else.
"""

from collections.abc import Mapping

from contract.names import ENROLMENTS_QUEUE, REPORTS_QUEUE

DEFAULT_EXCHANGE = ""
OVERTAKING = 1  # the priority of what overtakes

_OF_ITS_OWN = ("host.", "enrol.")
_MEGABYTE = 1024 * 1024


def exchange_of(user: str) -> str:
    """Return the exchange through which a user publishes."""
    return f"from.{user}" if user.startswith(_OF_ITS_OWN) else DEFAULT_EXCHANGE


def queue_arguments(queue: str) -> Mapping[str, str | int]:
    """Return what a queue is declared with: it holds so much, and then no more.

    A queue that many write to refuses what is too much, so that writers keep it. One with a single
    reader loses its oldest: these are sent again, and its reader can't hinder the orchestrator.
    """
    if queue in (REPORTS_QUEUE, ENROLMENTS_QUEUE):
        return {"x-max-length-bytes": 512 * _MEGABYTE, "x-overflow": "reject-publish"}
    return {
        "x-max-length-bytes": 64 * _MEGABYTE,
        "x-overflow": "drop-head",
        "x-max-priority": OVERTAKING,
    }
