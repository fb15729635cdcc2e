"""Amendments: what the next keyring says otherwise than the one before. Pure, but for keys read."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from contract.error import DenreiError
from contract.key import VerifyKey
from contract.keyring import Keyring, KeyWindow, Person, RootKey, Service
from contract.parameter import did_you_mean
from orchestrator.founding import BACK_MS, LIFE_MS

Owner = TypeVar("Owner", Person, Service)


class AmendmentError(DenreiError):
    """A keyring can't be amended so: somebody or a key is not in it, or is there already."""


def amend(keyring: Keyring, now: int, **changes: Any) -> Keyring:
    """Return the next keyring, good for as long as a new one."""
    return msgspec.structs.replace(
        keyring,
        version=keyring.version + 1,
        issued_at=now,
        expires_at=now + LIFE_MS,
        **changes,
    )


def add_person(keyring: Keyring, person: Person, now: int) -> Keyring:
    """Add a person. Raises AmendmentError for a name or a role of no use."""
    if any(person.name == known.name for known in keyring.signing):
        raise AmendmentError(f"{person.name} is there already; without --role it is a further key")
    if not person.roles:
        raise AmendmentError(f"{person.name} is not there yet; give the roles with --role")
    roles = [role.name for role in keyring.roles]
    for role in person.roles:
        if role not in roles:
            raise AmendmentError(f"no role {role!r}{did_you_mean(role, roles)}")
    return amend(keyring, now, people=[*keyring.people, person])


def add_key(keyring: Keyring, name: str, window: KeyWindow, overlap: int | None = None) -> Keyring:
    """Give somebody a further key; with `overlap`, the others count only so many ms longer.

    Raises AmendmentError.
    """
    now = window.not_before + BACK_MS

    def with_key(owner: Owner) -> Owner:
        keys: list[KeyWindow] = owner.keys
        if overlap is not None:
            keys = [_ending(each, now + overlap) for each in keys]
        return msgspec.structs.replace(owner, keys=[*keys, window])

    return _change(keyring, name, with_key, now)


def revoke_key(keyring: Keyring, key_id: str, now: int) -> Keyring:
    """Revoke the one key whose id begins so. Raises AmendmentError."""
    found = [
        (owner.name, each)
        for owner in keyring.signing
        for each in owner.keys
        if key_id and VerifyKey(each.key).id.startswith(key_id)
    ]
    if len(found) != 1:
        known = "no key's id begins" if not found else f"the ids of {len(found)} keys begin"
        raise AmendmentError(f"{known} with {key_id!r}; `denrei key list` has them")
    ((name, revoked),) = found
    if revoked.revoked_at is not None:
        raise AmendmentError(f"that key of {name} is revoked already")

    def without(owner: Owner) -> Owner:
        keys = [
            msgspec.structs.replace(each, revoked_at=now) if each is revoked else each
            for each in owner.keys
        ]
        return msgspec.structs.replace(owner, keys=keys)

    return _change(keyring, name, without, now)


def set_root(keyring: Keyring, root: RootKey, now: int) -> Keyring:
    """Put another key into a root's place. Raises AmendmentError."""
    names = [each.name for each in keyring.roots.keys]
    if root.name not in names:
        raise AmendmentError(f"no root {root.name!r}{did_you_mean(root.name, names)}")
    keys = [root if each.name == root.name else each for each in keyring.roots.keys]
    return amend(keyring, now, roots=msgspec.structs.replace(keyring.roots, keys=keys))


def _change(keyring: Keyring, name: str, change: Callable[[Any], Any], now: int) -> Keyring:
    names = [each.name for each in keyring.signing]
    if name not in names:
        raise AmendmentError(f"nobody is named {name!r}{did_you_mean(name, names)}")
    return amend(
        keyring,
        now,
        people=[change(each) if each.name == name else each for each in keyring.people],
        services=[change(each) if each.name == name else each for each in keyring.services],
    )


def _ending(window: KeyWindow, end: int) -> KeyWindow:
    return msgspec.structs.replace(window, not_after=min(window.not_after, end))
