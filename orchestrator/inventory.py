"""The inventory: which hosts there are, by which keys they are known, and their labels."""

import re
from collections.abc import Mapping

from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealPublicKey, VerifyKey
from contract.names import check_host_name
from contract.parameter import did_you_mean
from contract.trust import HostKeys
from orchestrator.store.record import Host
from orchestrator.store.store import Store

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")


class InventoryError(DenreiError):
    """A host is unknown, or there already with other keys, or a label is malformed."""


class Inventory:
    """Adds, finds and removes hosts."""

    def __init__(self, store: Store) -> None:
        """Keep the hosts in this store."""
        self._store = store

    def add(self, keys: HostKeys, labels: Mapping[str, str]) -> Host:
        """Add a host. The same keys again only replace the labels.

        Raises InventoryError if the name or the key is taken, HostNameError, KeyFileError.
        """
        name = check_host_name(keys.denrei_host)
        check_labels(labels)
        key_id, seal_key = VerifyKey(keys.sign).id, SealPublicKey(keys.seal).text
        known = self._store.hosts.get(name)
        if known is not None:
            return self._label(known, keys, labels)
        owner = self._store.hosts.key(key_id)
        if owner is not None and owner.host != name:
            message = f"this signing key is {owner.host}'s; every host needs keys of its own"
            raise InventoryError(message)
        host = Host(
            name=name, sign_key=keys.sign, seal_key=seal_key, labels=labels, added_at=now_ms()
        )
        self._store.hosts.add(host)
        return host

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

    def _label(self, known: Host, keys: HostKeys, labels: Mapping[str, str]) -> Host:
        if (known.sign_key, known.seal_key) != (keys.sign, keys.seal):
            message = (
                f"{known.name} is there already with other keys; if the host was made anew, "
                f"run `denrei host remove {known.name}` first"
            )
            raise InventoryError(message)
        self._store.hosts.label(known.name, labels)
        return self.get(known.name)


def check_labels(labels: Mapping[str, str]) -> None:
    """See to it that names and values of labels are plain. Raises InventoryError."""
    for word in [*labels.keys(), *labels.values()]:
        if not _LABEL.fullmatch(word):
            message = f"{word!r} can't be part of a label: use a-z, A-Z, 0-9, '.', '-', '_', '/'"
            raise InventoryError(message)
