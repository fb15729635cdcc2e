"""The box in which stored secrets lie encrypted: ChaCha20-Poly1305 under a key of the home's.

Name, setter and time are part of what is authenticated: whoever can write to the store can neither
swap two secrets nor say that somebody else set one. He can put back an older state of it.

The file holds the newest key first. An older one stays in it as long as a secret needs it, so that
a change of keys that was cut short leaves every secret readable, and can be made again.
"""

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from contract.whole_file import write_whole
from orchestrator.secret.provider import ProviderError
from orchestrator.store.secret_record import StoredSecret

_KEY_BYTES, _NONCE_BYTES = 32, 12
_SMALLEST = 64  # bytes; padded to a power of two, so that the length tells little

Key = Annotated[bytes, msgspec.Meta(min_length=_KEY_BYTES, max_length=_KEY_BYTES)]


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of keys, the newest first."""

    denrei_secret_keys: Literal[1]
    keys: Annotated[list[Key], msgspec.Meta(min_length=1)]


class Strongbox:
    """Locks secrets away and takes them out again."""

    def __init__(self, path: Path) -> None:
        """Use the key file at `path`; it is made when the first secret is locked away."""
        self._path = path

    def lock(self, name: str, value: str, by: str, at: int) -> StoredSecret:
        """Return a secret encrypted under the newest key. Raises ProviderError."""
        key = self._keys()[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = ChaCha20Poly1305(key).encrypt(nonce, _pad(value.encode()), _bound(name, by, at))
        return StoredSecret(name=name, key_id=key_id(key), data=nonce + data, set_by=by, set_at=at)

    def unlock(self, stored: StoredSecret) -> str:
        """Return the secret. Raises ProviderError if it is not what was locked away."""
        key = next((key for key in self._keys() if key_id(key) == stored.key_id), None)
        if key is None:
            message = f"{stored.name!r} is under the key {stored.key_id}, not one of {self._path}"
            raise ProviderError(f"{message}: copy that file from the home where it was set")
        nonce, data = stored.data[:_NONCE_BYTES], stored.data[_NONCE_BYTES:]
        bound = _bound(stored.name, stored.set_by, stored.set_at)
        try:
            return _unpad(ChaCha20Poly1305(key).decrypt(nonce, data, bound))
        except (InvalidTag, ValueError, TypeError):  # the last: SQLite lets a text stand there
            raise ProviderError(f"{stored.name!r} was altered in the store; set it anew") from None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from locking away or changing keys meanwhile; makes the key file."""
        lock = self._path.with_suffix(".lock")
        try:
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ProviderError(f"can't write {lock}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not self._path.exists():
                self._write([secrets.token_bytes(_KEY_BYTES)])
            yield
        finally:
            os.close(descriptor)

    def add_key(self) -> None:
        """Make a new key, under which secrets are locked away from now on."""
        self._write([secrets.token_bytes(_KEY_BYTES), *self._keys()])

    def forget_keys(self, needed: set[str]) -> None:
        """Drop every key but the newest and those that are needed, by their ids."""
        newest, *older = self._keys()
        self._write([newest, *(key for key in older if key_id(key) in needed)])

    def _keys(self) -> list[bytes]:
        try:
            mode = self._path.stat().st_mode
            data = self._path.read_bytes()
        except OSError as error:
            raise ProviderError(f"can't read the key {self._path}: {error.strerror}") from None
        if stat.S_IMODE(mode) & 0o077:
            message = f"{self._path} can be read by others; run: chmod 600 {self._path}"
            raise ProviderError(message)
        try:
            return msgspec.json.decode(data, type=_KeyFile).keys
        except msgspec.DecodeError:
            raise ProviderError(f"{self._path} is damaged; restore it from a copy") from None

    def _write(self, keys: Sequence[bytes]) -> None:
        """Replace the file at once: after a power loss it is the old or the new one."""
        try:
            write_whole(self._path, msgspec.json.encode(_KeyFile(1, list(keys))))
        except OSError as error:
            raise ProviderError(f"can't write {self._path}: {error.strerror}") from None


def key_id(key: bytes) -> str:
    """Return the name of a key, by which nobody can tell the key."""
    return hashlib.sha256(b"denrei/v1/secret-key-id" + key).hexdigest()[:16]


def _bound(name: str, by: str, at: int) -> bytes:
    parts = (b"denrei/v1/stored-secret", name.encode(), by.encode(), str(at).encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _pad(plain: bytes) -> bytes:
    sized = len(plain).to_bytes(4, "big") + plain
    return sized.ljust(max(_SMALLEST, 1 << (len(sized) - 1).bit_length()), b"\0")


def _unpad(padded: bytes) -> str:
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")].decode()
