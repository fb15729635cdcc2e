"""Whether a Redis is set up well for Denrei: what should be, what is, and what to do."""

from collections.abc import Iterator, Sequence

from orchestrator.broker.finding import Finding, identity, transport
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.home import Home

OLDEST = (7, 0)  # the first with selectors in its rules


def inspect_redis(home: Home) -> Sequence[Finding]:
    """Look at everything but the users' rules. Raises BrokerError."""
    with RedisUsers(home.admin_wire) as users:
        return list(inspect(users, home))


def inspect(users: RedisUsers, home: Home) -> Iterator[Finding]:
    """Look at everything but the users' rules. Raises BrokerError."""
    yield _version(users)
    yield from _settings(users)
    yield _default_user(users)
    yield identity(home.broker)
    for name, url in (("broker", home.broker), ("broker_admin", home.broker_admin)):
        yield transport(name, url)


def _version(users: RedisUsers) -> Finding:
    version = users.version()
    told = ".".join(map(str, version))
    old = "" if version >= OLDEST else "rules for hosts need Redis 7 or later"
    return Finding("version", told, old)


def _settings(users: RedisUsers) -> Iterator[Finding]:
    kept = users.setting("appendonly")
    remedy = "letters are lost when Redis restarts: appendonly yes"
    yield Finding("appendonly", kept, "" if kept == "yes" else remedy)
    policy = users.setting("maxmemory-policy")
    remedy = "Redis may throw letters away: maxmemory-policy noeviction"
    yield Finding("maxmemory-policy", policy, "" if policy == "noeviction" else remedy)
    limit = users.setting("maxmemory")
    remedy = "one host can fill the machine's memory: set a limit, such as maxmemory 512mb"
    yield Finding("maxmemory", limit, remedy if limit in {"", "0"} else "")
    file = users.setting("aclfile")
    remedy = "name a file, so that users outlive a restart: aclfile /etc/redis/users.acl"
    yield Finding("aclfile", file or "none", "" if file else remedy)


def _default_user(users: RedisUsers) -> Finding:
    default = users.find("default")
    if default is None or not default.on:
        return Finding("default user", "off")
    found = "on, without a password" if default.is_open else "on"
    return Finding("default user", found, "whoever knows no name comes in: ACL SETUSER default off")
