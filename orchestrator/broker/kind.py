"""The kinds of brokers: how each keeps passwords, who manages its users, and what is looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.broker import acl, definitions
from orchestrator.broker.finding import Finding
from orchestrator.broker.rabbit_check import inspect_rabbit
from orchestrator.broker.rabbit_users import RabbitUsers
from orchestrator.broker.redis_check import inspect_redis
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.broker.user import BrokerUser
from orchestrator.broker.users import Users
from orchestrator.home import Home

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What Denrei must know of a broker to manage its users."""

    name: str
    digest: Callable[[str, str], str]  # what the broker keeps of a user's password
    is_digest: Callable[[str], bool]
    connect: Callable[[Home], Users]
    rules: Callable[[Home, Sequence[BrokerUser], Version], str]  # a file for the broker's keeper
    inspect: Callable[[Home], Sequence[Finding]]


def _acl_file(_home: Home, users: Sequence[BrokerUser], version: Version) -> str:
    return acl.acl_file(acl.acl_user(user).fit_for(version) for user in users)


def _definitions_file(home: Home, users: Sequence[BrokerUser], _version: Version) -> str:
    return definitions.definitions_file(users, definitions.vhost_in(home.broker))


REDIS = Kind(
    name="Redis",
    digest=lambda _user, password: acl.digest_of(password),
    is_digest=acl.is_digest,
    connect=lambda home: RedisUsers(home.admin_wire),
    rules=_acl_file,
    inspect=inspect_redis,
)
RABBIT = Kind(
    name="RabbitMQ",
    digest=definitions.digest_of,
    is_digest=definitions.is_digest,
    connect=RabbitUsers.of,
    rules=_definitions_file,
    inspect=inspect_rabbit,
)

_KINDS: Mapping[str, Kind] = {
    "redis": REDIS,
    "rediss": REDIS,
    "redis+socket": REDIS,
    "amqp": RABBIT,
    "amqps": RABBIT,
}


def kind_of(broker: str) -> Kind:
    """Return the kind of the broker that a URL names."""
    return _KINDS[urlsplit(broker).scheme]
