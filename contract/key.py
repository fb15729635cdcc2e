"""Keys: Ed25519 for signing, X25519 for sealing, in files that only their owner reads.

A public key is refused at the door if it is not canonical or has small order: the signature
library accepts such keys, and with one of them anybody's signature verifies.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from contract.error import DenreiError

_KEY_BYTES = 32
_FIELD = 2**255 - 19  # RFC 8032, section 5.1
# The y coordinates of the eight points of small order: all [L]P for random P (RFC 8032, 5.1).
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
# The u coordinates of small order on Curve25519 (RFC 7748, 4.1), and -1 of its twist.
_SMALL_ORDER_U = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


Passphrase = Callable[[Path], bytes]  # gives a key file's passphrase, if the file has one

_PROTECTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"  # RFC 7468, section 11


class KeyFileError(DenreiError):
    """A key is missing, damaged, readable by others, or of a kind that must not be trusted."""


class PassphraseError(KeyFileError):
    """A key file's passphrase can't be asked for, or it is another one."""


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFileError("a public key is 32 bytes in base64") from None
    if len(raw) != _KEY_BYTES or base64.b64encode(raw).decode() != text:
        raise KeyFileError("a public key is 32 bytes in canonical base64")
    return raw


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class VerifyKey:
    """A public Ed25519 key that was checked when it came in."""

    __slots__ = ("_key", "id", "text")

    def __init__(self, text: str) -> None:
        """Read 32 bytes in base64. Raises KeyFileError for weak or malformed keys."""
        raw = _decode(text)
        y = int.from_bytes(raw, "little") & (2**255 - 1)
        if y >= _FIELD:
            raise KeyFileError("this Ed25519 key is not canonical; it must not be trusted")
        if y in _SMALL_ORDER_Y:
            raise KeyFileError("this Ed25519 key has small order; it must not be trusted")
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.text = text
        self.id = hashlib.sha256(raw).hexdigest()[:32]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the signature is this key's over the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Signer(Protocol):
    """Whoever can sign: a key of ours, or somebody who keeps one for us."""

    @property
    def public(self) -> VerifyKey:
        """Return the public half."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of the message. Raises KeyFileError."""


class SigningKey:
    """A private Ed25519 key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        """Wrap a key of the library's."""
        self._private = private
        self.public = VerifyKey(_encode(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def at(cls, path: Path) -> "SigningKey":
        """Read a key file, or make it if it is not there. Raises KeyFileError."""
        if not path.exists():
            cls.generate().save(path)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path, passphrase: Passphrase | None = None) -> "SigningKey":
        """Read a key file (PKCS#8 PEM, mode 0600). Raises KeyFileError, PassphraseError."""
        private = _load_private(path, passphrase)
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileError(f"{path} holds no Ed25519 key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write a new key file with mode 0600, never over an old one. Raises KeyFileError."""
        write_key(path, self.pkcs8(serialization.Encoding.PEM))

    def pkcs8(self, encoding: serialization.Encoding) -> bytes:
        """Return the private key itself: whoever has these bytes can sign."""
        return _pkcs8(self._private, encoding)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of the message."""
        return self._private.sign(message)


class SealPublicKey:
    """A public X25519 key: secrets can be sealed to whoever has the private one."""

    def __init__(self, text: str) -> None:
        """Read 32 bytes in base64. Raises KeyFileError for weak or malformed keys."""
        raw = _decode(text)
        u = int.from_bytes(raw, "little")
        if u >= _FIELD or u in _SMALL_ORDER_U:
            raise KeyFileError("this X25519 key is not canonical or has small order; refused")
        self.key = X25519PublicKey.from_public_bytes(raw)
        self.text = text


class SealKey:
    """A private X25519 key: opens what was sealed to its public half."""

    def __init__(self, private: X25519PrivateKey) -> None:
        """Wrap a key of the library's."""
        self.private = private
        self.public = SealPublicKey(_encode(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> "SealKey":
        """Make a new key from the system's randomness."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def at(cls, path: Path) -> "SealKey":
        """Read a key file, or make it if it is not there. Raises KeyFileError."""
        if not path.exists():
            cls.generate().save(path)
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> "SealKey":
        """Read a key file (PKCS#8 PEM, mode 0600). Raises KeyFileError."""
        private = _load_private(path)
        if not isinstance(private, X25519PrivateKey):
            raise KeyFileError(f"{path} holds no X25519 key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write a new key file with mode 0600, never over an old one. Raises KeyFileError."""
        write_key(path, _pkcs8(self.private, serialization.Encoding.PEM))


def write_key(path: Path, pem: bytes) -> None:
    """Write a new key file with mode 0600, never over an old one. Raises KeyFileError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} exists already; a key is never overwritten") from None
    except OSError as error:
        raise KeyFileError(f"can't write the key {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def is_protected(path: Path) -> bool:
    """Tell whether a key file has a passphrase. Raises KeyFileError."""
    return _PROTECTED in _read_private(path)


def _pkcs8(
    private: Ed25519PrivateKey | X25519PrivateKey, encoding: serialization.Encoding
) -> bytes:
    return private.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_private(path: Path, passphrase: Passphrase | None = None) -> object:
    pem = _read_private(path)
    given = _passphrase(path, passphrase) if _PROTECTED in pem else None
    try:
        return serialization.load_pem_private_key(pem, given)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        if given is not None:
            message = f"wrong passphrase for {path}, or the file is damaged"
            raise PassphraseError(message) from None
        raise KeyFileError(f"{path} holds no unencrypted private key in PEM form") from None


def _read_private(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"no key at {path}") from None
    except OSError as error:
        raise KeyFileError(f"can't read the key {path}: {error.strerror}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path} can be read by others; run: chmod 600 {path}")
    return pem


def _passphrase(path: Path, passphrase: Passphrase | None) -> bytes:
    if passphrase is None:
        message = (
            f"{path} has a passphrase, and nobody can be asked for it here; "
            f"take it off with `denrei key protect --remove --file {path}`"
        )
        raise PassphraseError(message)
    return passphrase(path)
