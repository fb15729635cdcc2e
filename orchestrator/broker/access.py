"""What hosts are given to reach the broker: each its own user, if the broker has users of ours."""

from functools import partial

from contract.broker import user_in
from orchestrator.broker.admin import Admin
from orchestrator.broker.password import give_access, renew_password
from orchestrator.broker.user import ENROLMENTS, SERVER
from orchestrator.home import Home
from orchestrator.store.enrolment_record import EnrolmentState
from orchestrator.store.store import Store


def has_own_users(home: Home) -> bool:
    """Tell whether the broker has a user for each host, made by Denrei or by its keeper."""
    return bool(home.broker_admin) or user_in(home.broker) == SERVER


def host_url(home: Home, store: Store, host: str) -> str:
    """Return the URL by which a host of the inventory reaches the broker, with a new password.

    Without users of our own it is the same for all. Raises BrokerError, InventoryError.
    """
    return renew_password(home, store, host) if has_own_users(home) else home.broker_for_hosts


def enrolment_url(home: Home, store: Store, id_: str) -> str:
    """Return the URL with which a token's holder asks to be enrolled. Raises BrokerError."""
    if not has_own_users(home):
        return home.broker_for_hosts
    return give_access(home, store, ENROLMENTS + id_, partial(Admin.set_enrolment, id_=id_))


def withdraw(home: Home, store: Store, user: str) -> None:
    """Take a host's or an enrolment's user away, if there is one. Raises BrokerError."""
    if home.broker_admin:
        with Admin(home, store) as admin:
            admin.remove(user)
    else:
        store.broker_users.forget(user)


def withdraw_enrolments(home: Home, store: Store, now: int) -> None:
    """Take the users of all enrolments away that are over. Raises BrokerError."""
    for user in store.broker_users.names(ENROLMENTS):
        enrolment = store.enrolments.get(user.removeprefix(ENROLMENTS))
        is_void = enrolment is None or enrolment.state is EnrolmentState.VOID
        if is_void or (enrolment and enrolment.expires_at <= now):
            withdraw(home, store, user)
