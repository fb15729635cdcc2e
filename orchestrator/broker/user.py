"""The broker's users by name: the orchestrator's, one for each host, one for each open token."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SERVER = "server"
ADMIN = "admin"
HOSTS = "host."
ENROLMENTS = "enrol."


@dataclass(frozen=True, slots=True)
class BrokerUser:
    """One user: its name, which says what it may do, and what the broker keeps of its password."""

    name: str
    digest: str


def is_ours(name: str) -> bool:
    """Tell whether a user's name is of those that Denrei makes and revokes."""
    return name == SERVER or name.startswith((HOSTS, ENROLMENTS))


def password_in(url: str) -> str:
    """Return the password that a broker's URL carries, or nothing."""
    return unquote(urlsplit(url).password or "")
