"""The inventory: which hosts there are, by which keys they are known, and their labels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from contract.envelope import PayloadType
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealPublicKey, Signer, VerifyKey
from contract.keyring import Admission
from contract.names import check_host_name
from contract.order import sign_message
from contract.parameter import did_you_mean
from orchestrator.store.record import Host
from orchestrator.store.store import Store

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")


class InventoryError(DenreiError):
    """A host is unknown, or there already with other keys, or a label is malformed."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """A host that is to become a member."""

    name: str
    epoch: int
    sign_key: str
    seal_key: str
    labels: Mapping[str, str]


class Inventory:
    """Admits, finds and removes hosts."""

    def __init__(self, store: Store) -> None:
        """Keep the hosts in this store."""
        self._store = store

    def admit(self, applicant: Applicant, registrar: Signer) -> Host:
        """Make a host a member by its keys, in the place of its former self; the same again is.

        Raises InventoryError if the key or the epoch is taken, HostNameError, KeyFileError.
        """
        name = check_host_name(applicant.name)
        check_labels(applicant.labels)
        key_id, seal_key = VerifyKey(applicant.sign_key).id, SealPublicKey(applicant.seal_key).text
        known = self._store.hosts.get(name)
        if known and (known.sign_key, known.seal_key) == (applicant.sign_key, seal_key):
            return known
        if owner := self._store.hosts.key(key_id):
            message = f"this signing key is or was {owner.host}'s; every enrolment needs its own"
            raise InventoryError(message)
        if applicant.epoch != self._store.hosts.epoch_of(name) + 1:
            raise InventoryError(f"{name} was enrolled in the meantime; make another token")
        host = self._new(applicant, now_ms(), registrar)
        self._store.hosts.add(host)
        return host

    def label(self, name: str, labels: Mapping[str, str], registrar: Signer) -> Host:
        """Replace a host's labels; it is sent the admission that says so. Raises InventoryError."""
        check_labels(labels)
        known = self.get(name)
        if dict(known.labels) != dict(labels):
            now = max(now_ms(), known.admission_at + 1)
            letter = self._admission(replace(known, labels=labels), now, registrar)
            self._store.hosts.label(name, labels, letter, now)
        return self.get(name)

    def list(self) -> list[Host]:
        """Return every host by name."""
        return self._store.hosts.all()

    def get(self, name: str) -> Host:
        """Return a host. Raises InventoryError."""
        host = self._store.hosts.get(name)
        if host is None:
            names = [known.name for known in self.list()]
            raise InventoryError(f"no host {name!r}{did_you_mean(name, names)}")
        return host

    def remove(self, name: str) -> Host:
        """Take a host out: nothing is sent to it or believed from it any more.

        Raises InventoryError.
        """
        host = self.get(name)
        self._store.hosts.remove(name, now_ms())
        return host

    def _new(self, applicant: Applicant, now: int, registrar: Signer) -> Host:
        host = Host(
            name=applicant.name,
            sign_key=applicant.sign_key,
            seal_key=applicant.seal_key,
            labels=applicant.labels,
            added_at=now,
            epoch=applicant.epoch,
            admission=b"",
            admission_at=now,
            admitted_at=now,
            keyring=self._store.keyrings.newest_version(),
        )
        return replace(host, admission=self._admission(host, now, registrar))

    def _admission(self, host: Host, now: int, registrar: Signer) -> bytes:
        admission = Admission(
            host=host.name,
            epoch=host.epoch,
            sign=host.sign_key,
            seal=host.seal_key,
            labels=dict(host.labels),
            issued_at=now,
            keyring=self._store.keyrings.newest_version(),
        )
        return sign_message(PayloadType.ADMISSION, admission, registrar)


def changed_labels(labels: Mapping[str, str], changes: Sequence[str]) -> dict[str, str]:
    """Return labels after changes such as `env=prod` and `env-`. Raises InventoryError."""
    changed = dict(labels)
    for change in changes:
        name, equals, value = change.partition("=")
        if equals:
            changed[name] = value
        elif change.endswith("-") and change[:-1] in changed:
            del changed[change[:-1]]
        else:
            raise InventoryError(f"{change!r} changes nothing: write k=v, or k- for a label it has")
    return changed


def check_labels(labels: Mapping[str, str]) -> None:
    """See to it that names and values of labels are plain. Raises InventoryError."""
    for word in [*labels.keys(), *labels.values()]:
        if not _LABEL.fullmatch(word):
            message = f"{word!r} can't be part of a label: use a-z, A-Z, 0-9, '.', '-', '_', '/'"
            raise InventoryError(message)
