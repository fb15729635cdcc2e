"""The broker's administrator: makes and revokes the users of hosts and of enrolments.

Denrei keeps of each password the hash that the broker keeps, and no password, so that a broker
which lost its users gets the same ones back. Each call is done with, on the server and on its disk,
when it returns.
"""

import re
from collections.abc import Mapping

from contract.broker import user_in
from contract.closing import Closing
from contract.error import DenreiError
from contract.names import check_host_name
from orchestrator.broker.kind import kind_of
from orchestrator.broker.plan import Change, compare, wanted_users
from orchestrator.broker.user import ENROLMENTS, HOSTS, SERVER, BrokerUser, password_in
from orchestrator.home import Home
from orchestrator.store.store import Store

_ENROLMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AdminError(DenreiError):
    """Denrei may not manage this broker, or is asked for a user that can't be."""


class Admin(Closing):
    """Manages the users of one broker. Open it with the home whose broker it is."""

    def __init__(self, home: Home, store: Store) -> None:
        """Manage the home's broker over its `broker_admin`. Raises AdminError if it has none."""
        if not home.broker_admin:
            message = "denrei.yaml has no broker_admin, so Denrei can't manage the broker's users"
            raise AdminError(f"{message}; see `denrei broker --help`")
        self._home = home
        self._store = store
        self._kind = kind_of(home.broker)
        self._users = self._kind.connect(home)

    def set_host(self, name: str, password: str) -> None:
        """Make a host's user, or give it a new password and throw out whoever had the old one.

        The host must be in the inventory, or the next `apply` revokes it. Raises BrokerError,
        HostNameError.
        """
        self._set(HOSTS + check_host_name(name), password)

    def set_enrolment(self, id_: str, password: str) -> None:
        """Make the user of one enrolment. Remove it when that is over.

        Raises BrokerError, AdminError.
        """
        if not _ENROLMENT_ID.fullmatch(id_):
            raise AdminError(f"{id_!r} can't be an enrolment's id: it would be part of a rule")
        self._set(ENROLMENTS + id_, password)

    def remove(self, user: str) -> None:
        """Revoke a user by its whole name, such as `host.web1`; nothing happens if it is gone.

        Raises BrokerError, AdminError.
        """
        if not user.startswith((HOSTS, ENROLMENTS)):
            raise AdminError(f"{user!r} is neither a host's user nor an enrolment's")
        self._store.broker_users.forget(user)
        self._users.delete(user)
        self._users.save()

    def plan(self) -> list[Change]:
        """Return what `apply` would change. Raises BrokerError."""
        return compare(known_users(self._home, self._store), self._users)

    def apply(self, changes: list[Change]) -> bool:
        """Change the users; False if the server would forget them with its next restart.

        Raises BrokerError.
        """
        for change in changes:
            if change.user:
                self._users.put(change.user)
            else:
                self._store.broker_users.forget(change.name)
                self._users.delete(change.name)
        return self._users.save()

    def close(self) -> None:
        """Let the connection go."""
        self._users.close()

    def _set(self, name: str, password: str) -> None:
        user = BrokerUser(name, self._kind.digest(name, password))
        # First what is to be, so that an `apply` after a crash in between makes it so.
        self._store.broker_users.put(user.name, user.digest)
        self._users.put(user)
        self._users.save()


def known_users(home: Home, store: Store) -> list[BrokerUser]:
    """Return the users that this home's broker should have."""
    digests = dict(_digests(home, store))
    if user_in(home.broker) == SERVER:
        digests[SERVER] = kind_of(home.broker).digest(SERVER, password_in(home.broker))
    return wanted_users(digests, [host.name for host in store.hosts.all()])


def hosts_without_user(home: Home, store: Store) -> list[str]:
    """Return the hosts of the inventory that were never given a user of such a broker."""
    known = _digests(home, store)
    return [host.name for host in store.hosts.all() if HOSTS + host.name not in known]


def _digests(home: Home, store: Store) -> Mapping[str, str]:
    """Return what is kept of passwords, but for another kind of broker that the home once had."""
    is_digest = kind_of(home.broker).is_digest
    return {name: text for name, text in store.broker_users.all().items() if is_digest(text)}
