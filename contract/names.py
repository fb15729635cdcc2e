"""Names that both sides must spell alike: queues, Celery tasks, hosts."""

import re

from contract.error import DenreiError

REPORTS_QUEUE = "reports"
ENROLMENTS_QUEUE = "enrolments"
DELIVER_TASK = "denrei.deliver"  # orchestrator -> host: one opaque letter
PING_TASK = "denrei.ping"  # to a host, by itself or the dispatcher: is the wire alive?
RECORD_TASK = "denrei.record"  # host -> orchestrator: one opaque letter
PRESENCE_TASK = "denrei.presence"  # host -> orchestrator: an unsigned answer to a ping

HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")


class HostNameError(DenreiError):
    """A host's name has characters that it may not have."""


def check_host_name(name: str) -> str:
    """Return the name if it may be a host's: it becomes part of queue names and ACL rules.

    Raises HostNameError.
    """
    if not HOST_NAME.fullmatch(name):
        message = f"{name!r} can't be a host's name: use a-z, 0-9, '.', '-', '_', at most 63"
        raise HostNameError(message)
    return name


def host_queue(host: str) -> str:
    """Return the name of a host's own queue."""
    return f"host.{host}"


def enrolment_queue(id_: str) -> str:
    """Return the name of the queue on which a token's holder awaits the answer."""
    return f"enrolment.{id_}"
