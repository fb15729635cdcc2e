"""The users of a running RabbitMQ, read and changed over its management."""

from typing import Any, Self

from contract.amqp_queue import DEFAULT_EXCHANGE, exchange_of
from contract.broker import BrokerFiles
from orchestrator.broker.definitions import Definitions, definitions_of, rights_of, vhost_in
from orchestrator.broker.rabbit_api import RabbitApi
from orchestrator.broker.user import ENROLMENTS, HOSTS, BrokerUser
from orchestrator.broker.users import Fit, Users
from orchestrator.home import Home

_ITS_OWN = ("users", "permissions", "topic_permissions", "bindings")


class RabbitUsers(Users):
    """Looks at and changes the users of one RabbitMQ, and their queues and exchanges."""

    def __init__(self, url: str, vhost: str, files: BrokerFiles) -> None:
        """Manage what concerns one virtual host, as the user in the management's URL."""
        self._api = RabbitApi(url, files)
        self._vhost = vhost
        self._known: Definitions | None = None

    @classmethod
    def of(cls, home: Home) -> Self:
        """Manage the users of a home's broker."""
        return cls(home.broker_admin, vhost_in(home.broker), home.broker_files)

    def names(self) -> list[str]:
        """Return the names of all users. Raises BrokerError."""
        return sorted(str(user["name"]) for user in self._definitions()["users"])

    def fit(self, user: BrokerUser) -> Fit:
        """Compare a user, its queues and ways, with what the broker has. Raises BrokerError."""
        wanted, known = definitions_of(user, self._vhost), self._definitions()
        if user.name not in self.names():
            return Fit.MISSING
        there = all(
            _named(item) in map(_named, known[kind])
            for kind in ("queues", "exchanges")
            for item in wanted[kind]
        )
        alike = all(
            _plain(_belonging(user.name, known.get(kind, []))) == _plain(wanted.get(kind, []))
            for kind in _ITS_OWN
        )
        return Fit.AS_WANTED if there and alike else Fit.OTHER

    def put(self, user: BrokerUser) -> None:
        """Make a user and what it needs, or make it anew; its letters stay where they lie.

        RabbitMQ closes the connections of a user that is deleted. Raises BrokerError.
        """
        self._remove_access(user.name)
        self._api.post("definitions", content=definitions_of(user, self._vhost))

    def delete(self, name: str) -> None:
        """Revoke a user, and what is its own. Raises BrokerError."""
        self._remove_access(name)
        if name.startswith((HOSTS, ENROLMENTS)):
            self._api.delete("queues", self._vhost, rights_of(name).queues[0])

    def save(self) -> bool:
        """Do nothing: RabbitMQ keeps what it was told."""
        return True

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _remove_access(self, name: str) -> None:
        self._known = None
        self._api.delete("users", name)
        if exchange_of(name) != DEFAULT_EXCHANGE:
            self._api.delete("exchanges", self._vhost, exchange_of(name))

    def _definitions(self) -> Definitions:
        """Return all that the broker has, read once and again after each change."""
        if self._known is None:
            self._known = dict(self._api.get("definitions"))
        return self._known


def _named(item: dict[str, Any]) -> tuple[str, str]:
    return str(item["vhost"]), str(item["name"])


def _belonging(user: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what belongs to a user: under its name, or a way from its exchange."""
    exchange = exchange_of(user)
    return [
        item
        for item in items
        if (exchange and item.get("source") == exchange)
        or user in (item.get("user"), item.get("name"))
    ]


def _plain(items: list[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    """Return items so that their order means nothing, nor what RabbitMQ adds that is empty."""
    return sorted(
        sorted((name, str(value)) for name, value in item.items() if value not in ([], {}, ""))
        for item in items
    )
