"""How people decide on enrolments: they invite a host, accept or reject it, and revoke it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from contract.broker import BrokerError
from contract.error import DenreiError
from contract.instant import now_ms
from contract.names import check_host_name
from contract.succession import fingerprint
from contract.token import Token, shared_key
from orchestrator.broker.access import enrolment_url, withdraw
from orchestrator.broker.user import HOSTS
from orchestrator.home import Home
from orchestrator.inventory import Inventory, check_labels
from orchestrator.store.enrolment_record import Enrolment, EnrolmentState
from orchestrator.store.record import Host
from orchestrator.store.store import Store
from orchestrator.succession import keyring_in_force

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)


class InvitationError(DenreiError):
    """A token can't be made, or there is none to decide on."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a token is for, and how."""

    host: str
    labels: Mapping[str, str] | None  # None: those that the host has
    life: timedelta
    hold: bool  # until a person has compared the keys


def invite(home: Home, store: Store, invitation: Invitation) -> Token:
    """Make a token; an older one for the same host is void. Raises DenreiError.

    A host believes what the token pins, so only the roots that this home has pinned come into it.
    """
    keyring = keyring_in_force(home, store)
    enrolment, secret = _enrolment(store, invitation, keyring.version)
    store.enrolments.issue(enrolment)
    try:
        broker = enrolment_url(home, store, enrolment.id)
    except BrokerError:
        store.enrolments.void(enrolment.id, "it had no access to the broker", now_ms())
        raise
    return _token(enrolment, secret, broker, fingerprint(keyring.roots))


def held(store: Store, host: str) -> Enrolment:
    """Return the enrolment of a host on which a person is to decide. Raises InvitationError."""
    found = store.enrolments.open_for(check_host_name(host))
    if found is None or found.state is not EnrolmentState.HELD:
        raise InvitationError(_why_not_held(host, found))
    return found


def accept(store: Store, enrolment: Enrolment) -> None:
    """Let the registrar admit a host that is held. Raises InvitationError."""
    if not store.enrolments.accept(enrolment.id):
        raise InvitationError(f"{enrolment.host} is not held any more")


def reject(store: Store, enrolment: Enrolment) -> None:
    """Turn a host away that is held. Raises InvitationError."""
    reason = "an operator rejected it"
    if not store.enrolments.reject(enrolment.id, reason, now_ms()):
        raise InvitationError(f"{enrolment.host} is not held any more")


def revoke(home: Home, store: Store, name: str) -> Host:
    """End a host's membership, its token if one is open, and its access to the broker.

    Nothing is sent to it or believed from it any more. Raises InventoryError, or BrokerError: then
    the host is out already, and only its access to the broker is left.
    """
    host = Inventory(store).get(name)
    store.enrolments.void_host(name, "an operator revoked the host", now_ms())
    Inventory(store).remove(name)
    try:
        withdraw(home, store, HOSTS + name)
    except BrokerError as error:
        message = f"{name} is out, but its user at the broker is left; run `denrei broker apply`"
        raise BrokerError(f"{message}: {error}") from None
    return host


def _enrolment(store: Store, invitation: Invitation, keyring: int) -> tuple[Enrolment, str]:
    host = check_host_name(invitation.host)
    if not SHORTEST <= invitation.life <= LONGEST:
        raise InvitationError("a token is good for 1m to 7d")
    known = store.hosts.get(host)
    labels = invitation.labels
    if labels is None:
        labels = known.labels if known else {}
    check_labels(labels)
    id_, secret, now = secrets.token_hex(16), secrets.token_hex(32), now_ms()
    epoch = store.hosts.epoch_of(host) + 1
    enrolment = Enrolment(
        id=id_,
        host=host,
        epoch=epoch,
        shared_key=shared_key(secret, id_, host, epoch),
        labels=labels,
        hold=invitation.hold,
        keyring=keyring,
        issued_at=now,
        expires_at=now + round(invitation.life.total_seconds() * 1000),
    )
    return enrolment, secret


def _token(enrolment: Enrolment, secret: str, broker: str, roots: str) -> Token:
    return Token(
        host=enrolment.host,
        epoch=enrolment.epoch,
        id=enrolment.id,
        secret=secret,
        expires_at=enrolment.expires_at,
        broker=broker,
        roots=roots,
    )


def _why_not_held(host: str, found: Enrolment | None) -> str:
    if found is None:
        return f"no enrolment of {host!r} is open; make a token with `denrei host enrol {host}`"
    if found.state is EnrolmentState.ACCEPTED:
        return f"{host} is accepted already; the server admits it when it asks again"
    return f"no host has used the token for {host!r} yet, so there are no keys to compare"
