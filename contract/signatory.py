"""Who signed a letter, by a keyring, and what they may sign at a moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from contract.envelope import PayloadType, Verified, verify
from contract.key import VerifyKey
from contract.keyring import Duty, Keyring, KeyWindow, Person, Right, Role, Service


@dataclass(frozen=True, slots=True)
class Signatory:
    """The owner of a key that a keyring knows."""

    owner: Person | Service
    window: KeyWindow
    roles: tuple[Role, ...] = ()

    @property
    def name(self) -> str:
        """Return whose key it is."""
        return self.owner.name

    def has_duty(self, duty: Duty) -> bool:
        """Tell whether it is a service's with this duty."""
        return isinstance(self.owner, Service) and self.owner.duty is duty

    def roles_for(
        self, right: Right, labels: Mapping[str, str], runbook: str | None = None
    ) -> tuple[Role, ...]:
        """Return the roles that give a person a right on a host, for a runbook if one is named."""
        return tuple(
            role
            for role in self.roles
            if right in role.rights
            and role.hosts.items() <= labels.items()
            and (runbook is None or any(fnmatchcase(runbook, each) for each in role.runbooks))
        )

    def may(self, right: Right, labels: Mapping[str, str], runbook: str | None = None) -> bool:
        """Tell whether a person may sign something for a host, and a runbook if one is named."""
        return bool(self.roles_for(right, labels, runbook))


class Signatories:
    """The owners of all keys of a keyring, by key id."""

    def __init__(self, keyring: Keyring) -> None:
        """Index a keyring that was checked."""
        self._by_id: dict[str, Signatory] = {}
        self._keys: dict[str, VerifyKey] = {}
        roles = {role.name: role for role in keyring.roles}
        for person in keyring.people:
            self._add(person, tuple(roles[name] for name in person.roles))
        for service in keyring.services:
            self._add(service, ())

    def __getitem__(self, key_id: str) -> Signatory:
        """Return whose key this is. Raises KeyError."""
        return self._by_id[key_id]

    def items(self) -> Iterable[tuple[str, Signatory]]:
        """Return all of them with their key ids."""
        return self._by_id.items()

    def __contains__(self, key_id: str) -> bool:
        """Tell whether the keyring knows a key."""
        return key_id in self._by_id

    def verify(self, letter: bytes, types: frozenset[PayloadType]) -> Verified:
        """Return a letter's payload if every signature is by a key that is known.

        Whether the keys count at the moment is not asked. Raises EnvelopeError.
        """
        return verify(letter, self._keys, types)

    def _add(self, owner: Person | Service, roles: tuple[Role, ...]) -> None:
        for window in owner.keys:
            key = VerifyKey(window.key)
            self._keys[key.id] = key
            self._by_id[key.id] = Signatory(owner, window, roles)
