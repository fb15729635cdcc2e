"""What a host and its orchestrator hand to each other as files, to become acquainted."""

import base64
import binascii
import json
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from contract.error import DenreiError
from contract.key import KeyFileError, SealPublicKey, VerifyKey
from contract.names import HostNameError, check_host_name

T = TypeVar("T", bound=msgspec.Struct)


class TrustError(DenreiError):
    """A file of public keys can't be used."""


class HostKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host's name and public keys, as the orchestrator adds them."""

    denrei_host: str
    sign: str
    seal: str


class Welcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a host needs to be a member: the fleet's keyring, and its own admission."""

    denrei_welcome: Literal[1]
    keyring: str  # letters in base64
    admission: str

    @classmethod
    def of(cls, keyring: bytes, admission: bytes) -> "Welcome":
        """Wrap two letters."""
        letters = (base64.b64encode(letter).decode() for letter in (keyring, admission))
        return cls(1, *letters)

    @property
    def letters(self) -> tuple[bytes, bytes]:
        """Return the keyring's and the admission's letter."""
        try:
            keyring, admission = (
                base64.b64decode(text, validate=True) for text in (self.keyring, self.admission)
            )
        except (binascii.Error, ValueError):
            raise TrustError("this welcome is damaged; ask for it again") from None
        return keyring, admission


def load_host_keys(path: Path) -> HostKeys:
    """Read and check a host's public file. Raises TrustError."""
    keys = _load(path, HostKeys, "denrei-worker init")
    try:
        check_host_name(keys.denrei_host)
        VerifyKey(keys.sign)
        SealPublicKey(keys.seal)
    except (KeyFileError, HostNameError) as error:
        raise TrustError(f"{path}: {error}") from None
    return keys


def load_welcome(path: Path) -> Welcome:
    """Read what the orchestrator has for a host. Raises TrustError."""
    return _load(path, Welcome, "denrei host add")


def save_public(path: Path, keys: HostKeys | Welcome) -> None:
    """Write a public file for people to carry to the other side."""
    path.write_text(show_public(keys))


def show_public(keys: HostKeys | Welcome) -> str:
    """Return a public file's text."""
    return json.dumps(msgspec.to_builtins(keys), indent=2) + "\n"


def _load(path: Path, kind: type[T], maker: str) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise TrustError(f"can't read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{path} is not a public file made by `{maker}`: {error}"
        raise TrustError(message) from None
