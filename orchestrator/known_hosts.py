"""The signing keys of the hosts that are in the inventory now."""

from collections.abc import Iterator, Mapping

from contract.key import VerifyKey
from orchestrator.store.record import HostKey
from orchestrator.store.store import Store


class KnownHosts(Mapping[str, VerifyKey]):
    """Keys by their ids, looked up when needed: a host just removed is believed no more."""

    def __init__(self, store: Store) -> None:
        """Look the keys up in this store."""
        self._store = store
        self._checked: dict[str, VerifyKey] = {}

    def owner(self, key_id: str) -> HostKey:
        """Return which host's key this is, and of which epoch. Raises KeyError."""
        return self._current(key_id)

    def __getitem__(self, key_id: str) -> VerifyKey:
        """Return a key. Raises KeyError."""
        known = self._current(key_id)
        if key_id not in self._checked:
            self._checked[key_id] = VerifyKey(known.sign_key)
        return self._checked[key_id]

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return (key.key_id for key in self._store.hosts.signing_keys() if key.removed_at is None)

    def __len__(self) -> int:
        """Count the keys."""
        return sum(1 for _ in self)

    def _current(self, key_id: str) -> HostKey:
        known = self._store.hosts.key(key_id)
        if known is None or known.removed_at is not None:
            raise KeyError(key_id)
        return known
