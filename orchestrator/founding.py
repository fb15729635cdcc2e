"""The first keyring of a fleet: who founded it, its services, and the roles to begin with."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.envelope import PayloadType
from contract.key import Signer, VerifyKey
from contract.keyring import Duty, Keyring, KeyWindow, Person, Right, Role, RootKey, Roots, Service
from contract.order import sign_message
from contract.succession import FIRST
from orchestrator.home import BEAT, RECORDER, REGISTRAR

DUTIES: Mapping[str, Duty] = {
    BEAT: Duty.SCHEDULER,
    RECORDER: Duty.RECORDER,
    REGISTRAR: Duty.REGISTRAR,
}
OPERATOR_ROLE, APPROVER_ROLE = "operator", "approver"

_DAY_MS = 24 * 3600 * 1000
LIFE_MS = 400 * _DAY_MS  # of a keyring and of keys: a year, and time to notice
BACK_MS = 3600 * 1000  # hosts whose clocks are behind believe new keys at once


@dataclass(frozen=True, slots=True)
class Founders:
    """The keys that a fleet begins with."""

    operator: str  # the name of the first person
    person: Signer
    root: Signer
    services: Mapping[str, Signer]  # by name


def found(founders: Founders, now: int) -> bytes:
    """Return the letter of the first keyring, signed by its one root."""
    keyring = Keyring(
        version=FIRST,
        issued_at=now,
        expires_at=now + LIFE_MS,
        roots=Roots(
            threshold=1,
            keys=[RootKey(name=founders.operator, key=founders.root.public.text)],
        ),
        people=[
            Person(
                name=founders.operator,
                keys=[window(founders.person.public, now)],
                roles=[OPERATOR_ROLE, APPROVER_ROLE],
            )
        ],
        services=[
            Service(name=name, duty=DUTIES[name], keys=[window(key.public, now)])
            for name, key in founders.services.items()
        ],
        roles=[
            Role(name=OPERATOR_ROLE, rights=[Right.ORDER, Right.CANCEL, Right.PING]),
            Role(name=APPROVER_ROLE, rights=[Right.APPROVE]),
        ],
    )
    return sign_message(PayloadType.KEYRING, keyring, founders.root)


def window(key: VerifyKey, now: int) -> KeyWindow:
    """Return a key that counts from now on."""
    return KeyWindow(key=key.text, not_before=now - BACK_MS, not_after=now + LIFE_MS)
