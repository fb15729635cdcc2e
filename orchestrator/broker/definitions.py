"""RabbitMQ's own rules for Denrei, as the definitions that it takes in and gives out.

Right to write to the default exchange is right to write to every queue; and a topic exchange's
rules hold for a message's routing key, but not for those in its CC header. So each host has an
exchange of its own, from which there are only two ways: to `reports`, and to its own queue. It may
write to that exchange and read from that queue; it may make, bind, empty or delete nothing.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from contract.amqp_queue import DEFAULT_EXCHANGE, exchange_of, queue_arguments
from contract.names import ENROLMENTS_QUEUE, REPORTS_QUEUE, enrolment_queue, host_queue
from orchestrator.broker.user import ENROLMENTS, HOSTS, BrokerUser

Definitions = Mapping[str, list[dict[str, Any]]]

_SALT_BYTES = 4
_HASHING = "rabbit_password_hashing_sha256"
_NOTHING = "^$"
_DEFAULT_EXCHANGE = "amq.default"  # as rules name it
_OURS = rf"^({REPORTS_QUEUE}|{ENROLMENTS_QUEUE}|(host|enrolment)\..+)$"


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user may do, and the queues that must be there for it."""

    configure: str
    write: str
    read: str
    ways: tuple[str, ...]  # queues to which its exchange leads
    queues: tuple[str, ...]


def rights_of(user: str) -> Rights:
    """Return the rights that a user's name calls for."""
    if user.startswith(HOSTS):
        queue = host_queue(user.removeprefix(HOSTS))
        return _correspondent(user, queue, (REPORTS_QUEUE, queue))
    if user.startswith(ENROLMENTS):
        queue = enrolment_queue(user.removeprefix(ENROLMENTS))
        return _correspondent(user, queue, (ENROLMENTS_QUEUE,))
    own = (REPORTS_QUEUE, ENROLMENTS_QUEUE)
    # It makes queues that somebody deleted, so that one host's can't hinder the others' letters.
    return Rights(_OURS, f"^{re.escape(_DEFAULT_EXCHANGE)}$", f"^({'|'.join(own)})$", (), own)


def definitions_of(user: BrokerUser, vhost: str) -> Definitions:
    """Return all that RabbitMQ must have for a user."""
    rights, exchange = rights_of(user.name), exchange_of(user.name)
    return {
        "vhosts": [{"name": vhost}],
        "users": [_account(user)],
        "permissions": [_permission(user.name, vhost)],
        "queues": [_queue(name, vhost) for name in rights.queues],
        "exchanges": [] if exchange == DEFAULT_EXCHANGE else [_exchange(exchange, vhost)],
        "bindings": [_binding(exchange, queue, vhost) for queue in rights.ways],
    }


def definitions_file(users: Iterable[BrokerUser], vhost: str) -> str:
    """Return the definitions of all users as a file that RabbitMQ imports."""
    whole: dict[str, list[dict[str, Any]]] = {}
    for user in users:
        for name, items in definitions_of(user, vhost).items():
            known = whole.setdefault(name, [])
            known += [item for item in items if item not in known]
    return json.dumps(whole, indent=2) + "\n"


def digest_of(user: str, password: str) -> str:
    """Return what RabbitMQ keeps of a user's password.

    The salt comes of the name, so that the same password is always kept alike.
    """
    salt = hashlib.sha256(user.encode()).digest()[:_SALT_BYTES]
    return b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def is_digest(text: str) -> bool:
    """Tell whether a text is what `digest_of` returns."""
    try:
        return len(b64decode(text, validate=True)) == _SALT_BYTES + hashlib.sha256().digest_size
    except ValueError:
        return False


def vhost_in(broker: str) -> str:
    """Return the virtual host that a broker's URL names."""
    return unquote(urlsplit(broker).path.removeprefix("/")) or "/"


def _correspondent(user: str, queue: str, ways: tuple[str, ...]) -> Rights:
    write, read = (f"^{re.escape(name)}$" for name in (exchange_of(user), queue))
    return Rights(_NOTHING, write, read, ways, tuple(dict.fromkeys((queue, *ways))))


def _account(user: BrokerUser) -> dict[str, Any]:
    hashed = {"password_hash": user.digest, "hashing_algorithm": _HASHING}
    return {"name": user.name, **hashed, "tags": []}


def _permission(user: str, vhost: str) -> dict[str, Any]:
    rights = rights_of(user)
    may = {"configure": rights.configure, "write": rights.write, "read": rights.read}
    return {"user": user, "vhost": vhost, **may}


def _queue(name: str, vhost: str) -> dict[str, Any]:
    arguments = dict(queue_arguments(name))
    lasting = {"durable": True, "auto_delete": False, "arguments": arguments}
    return {"name": name, "vhost": vhost, **lasting}


def _exchange(name: str, vhost: str) -> dict[str, Any]:
    lasting = {"durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    return {"name": name, "vhost": vhost, "type": "direct", **lasting}


def _binding(exchange: str, queue: str, vhost: str) -> dict[str, Any]:
    way = {"source": exchange, "destination": queue, "destination_type": "queue"}
    return {**way, "vhost": vhost, "routing_key": queue, "arguments": {}}
