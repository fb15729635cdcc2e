"""Secrets that the store keeps, encrypted: `secret:NAME`."""

import re
from typing import Self

from contract.instant import now_ms
from contract.parameter import Parameter, did_you_mean
from orchestrator.home import Home
from orchestrator.secret.provider import SecretError
from orchestrator.secret.strongbox import Strongbox
from orchestrator.store.record import StoredSecret
from orchestrator.store.secrets import Secrets
from orchestrator.store.store import Store

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class StoredSecrets:
    """Keeps secrets in the store; what encrypts them lies in the home."""

    def __init__(self, secrets: Secrets, box: Strongbox) -> None:
        """Keep them in these rows and this box."""
        self._secrets = secrets
        self._box = box

    @classmethod
    def of(cls, home: Home, store: Store) -> Self:
        """Return the stored secrets of a home."""
        return cls(store.secrets, Strongbox(home.path / "keys" / "secrets.json"))

    def read(self, place: str) -> str:
        """Return a secret by its name. Raises SecretError or ProviderError."""
        stored = self._secrets.get(place)
        if stored is None:
            raise self._unknown(place)
        return self._box.unlock(stored)

    def set(self, name: str, value: str, by: str) -> bool:
        """Store a secret; tell whether it replaced one. Raises SecretError or ProviderError."""
        if not _NAME.fullmatch(name):
            rule = "a-z, 0-9, '.', '_' and '-', 100 at most, and a letter or digit first"
            raise SecretError(f"{name!r} is no name for a secret: use {rule}")
        if complaint := Parameter(name, secret=True).complaint(value):
            raise SecretError(f"secret {name}: the value given {complaint}")
        with self._box.held():
            return self._secrets.put(self._box.lock(name, value, by, now_ms()))

    def remove(self, name: str) -> None:
        """Forget a secret. Raises SecretError if there is none of this name."""
        if not self._secrets.remove(name):
            raise self._unknown(name)

    def rekey(self) -> int:
        """Encrypt all secrets anew under a new key and drop the old ones; return how many."""

        def relock(stored: StoredSecret) -> StoredSecret:
            value = self._box.unlock(stored)
            return self._box.lock(stored.name, value, stored.set_by, stored.set_at)

        with self._box.held():
            self._box.add_key()
            changed = self._secrets.change_all(relock)
            self._box.forget_keys({stored.key_id for stored in self._secrets.all()})
        return changed

    def _unknown(self, name: str) -> SecretError:
        names = [stored.name for stored in self._secrets.all()]
        return SecretError(f"no secret {name!r} is stored{did_you_mean(name, names)}")
