"""A host's access to the broker: a fresh password, and the URL that holds it."""

import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlsplit

from orchestrator.broker.admin import Admin
from orchestrator.broker.kind import kind_of
from orchestrator.broker.user import HOSTS
from orchestrator.home import Home
from orchestrator.inventory import Inventory
from orchestrator.store.store import Store

_BYTES = 32


def new_password() -> str:
    """Return a password long enough that its SHA-256 gives nothing away."""
    return secrets.token_urlsafe(_BYTES)


def url_for(broker: str, user: str, password: str) -> str:
    """Return a broker's URL with another user's name and password in it."""
    parts = urlsplit(broker)
    address = parts.netloc.rpartition("@")[2]
    access = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{access}@{address}").geturl()


def renew_password(home: Home, store: Store, host: str) -> str:
    """Give a host of the inventory a new password; return its URL of the broker.

    Raises InventoryError, BrokerError.
    """
    name = Inventory(store).get(host).name
    return give_access(home, store, HOSTS + name, partial(Admin.set_host, name=name))


def give_access(home: Home, store: Store, user: str, make: Callable[..., None]) -> str:
    """Let a user in with a new password; return the URL that holds it.

    `make` has an administrator make the user; without one its digest is kept, to be printed.
    Raises BrokerError.
    """
    password = new_password()
    if home.broker_admin:
        with Admin(home, store) as admin:
            make(admin, password=password)
    else:
        store.broker_users.put(user, kind_of(home.broker).digest(user, password))
    return url_for(home.broker_for_hosts, user, password)
