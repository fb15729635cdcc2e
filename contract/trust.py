"""Public halves as files: what `denrei init` and `denrei-worker init` hand to each other."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from contract.error import DenreiError
from contract.key import KeyFileError, SealPublicKey, VerifyKey
from contract.names import HostNameError, check_host_name

T = TypeVar("T", bound=msgspec.Struct)


class Role(StrEnum):
    """What a key on the orchestrator's side may sign."""

    OPERATOR = "operator"  # orders, cancels and pings
    SCHEDULER = "scheduler"  # orders of schedules, unattended
    RECORDER = "recorder"  # acknowledgements


class TrustError(DenreiError):
    """A file of public keys can't be used."""


class TrustedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public signing key, whose it is, and what it may sign."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    role: Role
    key: str

    def verify_key(self) -> VerifyKey:
        """Return the checked key. Raises KeyFileError."""
        return VerifyKey(self.key)


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The orchestrator's public keys, as a host trusts them."""

    denrei_trust: Literal[1]
    keys: list[TrustedKey]

    def by_id(self) -> dict[str, TrustedKey]:
        """Return the keys by key id. Raises KeyFileError for a weak key or one with two roles."""
        by_id = {trusted.verify_key().id: trusted for trusted in self.keys}
        if len(by_id) != len(self.keys):
            raise KeyFileError("one key stands here twice; whose it is must be beyond doubt")
        return by_id


class HostKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host's name and public keys, as the orchestrator adds them."""

    denrei_host: str
    sign: str
    seal: str


def load_trust(path: Path) -> Trust:
    """Read and check a file of the orchestrator's public keys. Raises TrustError."""
    trust = _load(path, Trust, "denrei init")
    try:
        trust.by_id()
    except KeyFileError as error:
        raise TrustError(f"{path}: {error}") from None
    return trust


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


def save_public(path: Path, keys: Trust | HostKeys) -> None:
    """Write a public file for people to carry to the other side."""
    path.write_text(json.dumps(msgspec.to_builtins(keys), indent=2) + "\n")


def _load(path: Path, kind: type[T], maker: str) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise TrustError(f"can't read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{path} is not a public file made by `{maker}`: {error}"
        raise TrustError(message) from None
