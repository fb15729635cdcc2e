"""What is to change on the broker so that its users are those of the inventory, and no others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.broker.user import HOSTS, BrokerUser, is_ours
from orchestrator.broker.users import Fit, Users


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
    user: BrokerUser | None


def wanted_users(digests: Mapping[str, str], hosts: Collection[str]) -> list[BrokerUser]:
    """Return who should be there: the server, hosts of the inventory, open enrolments."""
    return [
        BrokerUser(name, digest)
        for name, digest in sorted(digests.items())
        if not name.startswith(HOSTS) or name.removeprefix(HOSTS) in hosts
    ]


def compare(wanted: Collection[BrokerUser], users: Users) -> list[Change]:
    """Compare who should be there with who is. Users of others are none of our business.

    Raises BrokerError.
    """
    names = {user.name for user in wanted}
    found = [change for user in wanted if (change := _change(user, users.fit(user)))]
    strays = [name for name in users.names() if name not in names and is_ours(name)]
    return [*found, *(Change(Verb.REVOKE, name, None) for name in strays)]


def _change(user: BrokerUser, fit: Fit) -> Change | None:
    if fit is Fit.AS_WANTED:
        return None
    return Change(Verb.MAKE if fit is Fit.MISSING else Verb.CHANGE, user.name, user)
