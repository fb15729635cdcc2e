"""Redis's own rules for Denrei: who may touch which list, and with which commands.

Each user gets the commands that its side of `contract.wire` was seen to use, on its own keys. A
host can take from its own queue and add to `reports`; it can't read a report, or any other host's
queue. Passwords are kept as SHA-256 only, which is safe because they are random and long.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.names import ENROLMENTS_QUEUE, REPORTS_QUEUE, enrolment_queue, host_queue
from orchestrator.broker.user import ADMIN, ENROLMENTS, HOSTS, SERVER, BrokerUser

# An older Redis than 7.2 does not start with it in its ACL file. Clients do without it, too; but
# then each connection would leave a line in ACL LOG, where only real trouble should be.
INTRODUCTION = " +client|setinfo"
KNOWS_INTRODUCTION = (7, 2)

_SESSION = "+ping" + INTRODUCTION + " +select"
_CONSUME = "+brpop +lpush +llen +multi +exec"
_TAKE_MANY = "+brpop +rpop +lpush +llen"
_LOOK = "+info +config|get +acl|log +acl|load +acl|users +acl|list +acl|getuser +client|list"
_MANAGE = "+acl|setuser +acl|deluser +acl|save +config|rewrite +client|kill"
_NOBODY = "user default off resetpass resetkeys resetchannels -@all\n"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"\([^)]*\)|\S+")  # a selector in its brackets is one word


@dataclass(frozen=True, slots=True)
class AclUser:
    """One user of Redis: the SHA-256 of its password, and what it may do."""

    name: str
    digest: str
    rules: str

    @property
    def words(self) -> tuple[str, ...]:
        """Give the rules as ACL SETUSER takes them, from nothing."""
        rules = f"reset on #{self.digest} resetchannels -@all {self.rules}"
        return tuple(_WORD.findall(rules))

    @property
    def line(self) -> str:
        """Give the user as a line of the ACL file."""
        return f"user {self.name} on #{self.digest} resetkeys resetchannels -@all {self.rules}\n"

    def fit_for(self, version: tuple[int, ...]) -> "AclUser":
        """Give the user without what a Redis of this version does not know."""
        if version >= KNOWS_INTRODUCTION:
            return self
        return replace(self, rules=self.rules.replace(INTRODUCTION, ""))


def host_user(host: str, digest: str) -> AclUser:
    """Give the user of one host."""
    queue = host_queue(host)
    return AclUser(HOSTS + host, digest, _correspondent(queue, REPORTS_QUEUE))


def enrolment_user(id_: str, digest: str) -> AclUser:
    """Give the short-lived user of one token: it asks, and takes the answer to its own asking."""
    return AclUser(ENROLMENTS + id_, digest, _correspondent(enrolment_queue(id_), ENROLMENTS_QUEUE))


def server_user(digest: str) -> AclUser:
    """Give the orchestrator's user: it reads what hosts send, and adds to hosts' queues."""
    own = f"~{REPORTS_QUEUE} ~{ENROLMENTS_QUEUE}"
    others = f"~{host_queue('*')} ~{enrolment_queue('*')}"
    rules = f"{own} {_SESSION} {_TAKE_MANY} ({others} -@all +lpush +rpush +llen)"
    return AclUser(SERVER, digest, rules)


def admin_user(digest: str) -> AclUser:
    """Give the user that makes the others: it sees how Redis fares, but has no key."""
    return AclUser(ADMIN, digest, f"{_SESSION} {_LOOK} {_MANAGE}")


def acl_file(users: Iterable[AclUser]) -> str:
    """Give the whole file; nobody comes in without a name and a password."""
    return _NOBODY + "".join(user.line for user in users)


def digest_of(password: str) -> str:
    """Return what Redis keeps of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def is_digest(text: str) -> bool:
    """Tell whether a text is what `digest_of` returns."""
    return bool(_DIGEST.fullmatch(text))


def acl_user(user: BrokerUser) -> AclUser:
    """Give a user the rules that its name calls for."""
    if user.name.startswith(HOSTS):
        return host_user(user.name.removeprefix(HOSTS), user.digest)
    if user.name.startswith(ENROLMENTS):
        return enrolment_user(user.name.removeprefix(ENROLMENTS), user.digest)
    return server_user(user.digest)


def _correspondent(queue: str, letterbox: str) -> str:
    return f"~{queue} {_SESSION} {_CONSUME} (%W~{letterbox} -@all +lpush)"
