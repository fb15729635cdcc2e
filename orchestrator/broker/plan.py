"""What is to change on the broker so that its users are those of the inventory, and no others."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.broker.acl import (
    ENROLMENTS,
    HOSTS,
    SERVER,
    AclUser,
    enrolment_user,
    host_user,
    server_user,
)
from orchestrator.broker.redis_users import Found


class Verb(StrEnum):
    """What is done to a user."""

    MAKE = "make"
    CHANGE = "change"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Change:
    """One user that is not as it should be, and what it should be; None is gone."""

    verb: Verb
    name: str
    user: AclUser | None


def wanted_users(digests: Mapping[str, str], hosts: Collection[str]) -> list[AclUser]:
    """Return who should be there: the server, hosts of the inventory, open enrolments."""
    return [
        _user(name, digest)
        for name, digest in sorted(digests.items())
        if not name.startswith(HOSTS) or name.removeprefix(HOSTS) in hosts
    ]


def compare(
    wanted: Collection[AclUser], present: Collection[str], find: Callable[[str], Found | None]
) -> list[Change]:
    """Compare who should be there with who is. Users of others are none of our business."""
    names = {user.name for user in wanted}
    found = [change for user in wanted if (change := _change(user, find(user.name)))]
    strays = [name for name in sorted(present) if name not in names and is_ours(name)]
    return [*found, *(Change(Verb.REVOKE, name, None) for name in strays)]


def is_ours(name: str) -> bool:
    """Tell whether a user's name is of those that Denrei makes and revokes."""
    return name == SERVER or name.startswith((HOSTS, ENROLMENTS))


def _change(user: AclUser, found: Found | None) -> Change | None:
    if found is None:
        return Change(Verb.MAKE, user.name, user)
    return None if found.fits(user) else Change(Verb.CHANGE, user.name, user)


def _user(name: str, digest: str) -> AclUser:
    if name.startswith(HOSTS):
        return host_user(name.removeprefix(HOSTS), digest)
    if name.startswith(ENROLMENTS):
        return enrolment_user(name.removeprefix(ENROLMENTS), digest)
    return server_user(digest)
