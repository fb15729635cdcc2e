"""Redis's own rules for an installation: who may touch which list, and with which commands.

Each user gets the commands that its side of `contract.wire` was seen to use, on its own keys. A
host can take from its own queue and add to `reports`; it can't read a report, or any other host's
queue. Passwords are in the file as SHA-256 only, which is safe because they are random and long.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from contract.names import REPORTS_QUEUE, host_queue

SERVER = "server"
ADMIN = "admin"

# An older Redis than 7.2 does not start with it in its ACL file. Clients do without it, too; but
# then each connection would leave a line in ACL LOG, where only real trouble should be.
INTRODUCTION = " +client|setinfo"

_SESSION = "+ping" + INTRODUCTION
_CONSUME = "+brpop +lpush +llen +multi +exec"
_LOOK = _SESSION + " +info +acl|log +acl|load +acl|users +client|list"


@dataclass(frozen=True, slots=True)
class AclUser:
    """One user of Redis: a password, and what it opens."""

    name: str
    password: str
    rules: str

    @property
    def line(self) -> str:
        """Give the user as a line of the ACL file."""
        digest = hashlib.sha256(self.password.encode()).hexdigest()
        return f"user {self.name} on #{digest} resetkeys resetchannels -@all {self.rules}\n"


def host_user(host: str, broker: str) -> AclUser:
    """Give the user of one host, whose password is in its broker's URL."""
    queue = host_queue(host)
    rules = f"~{queue} {_SESSION} {_CONSUME} (%W~{REPORTS_QUEUE} -@all +lpush)"
    return AclUser(queue, _password(broker), rules)


def server_user(broker: str) -> AclUser:
    """Give the orchestrator's user: it reads reports, and adds to hosts' queues."""
    rules = f"~{REPORTS_QUEUE} {_SESSION} {_CONSUME} (~{host_queue('*')} -@all +lpush +rpush +llen)"
    return AclUser(SERVER, _password(broker), rules)


def admin_user(password: str) -> AclUser:
    """Give a user for people and health checks: it sees how Redis fares, but no key."""
    return AclUser(ADMIN, password, _LOOK)


def acl_file(users: Iterable[AclUser]) -> str:
    """Give the whole file; nobody comes in without a name and a password."""
    return "user default off resetpass resetkeys resetchannels -@all\n" + "".join(
        user.line for user in users
    )


def _password(broker: str) -> str:
    return urlsplit(broker).password or ""
