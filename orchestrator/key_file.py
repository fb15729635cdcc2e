"""People's keys as files: private ones, under a passphrase or not, and those of ssh-agent.

`NAME.pem` is a private key. In its place may stand `NAME.pub`, the public half of a key that
ssh-agent signs with.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from contract.key import (
    KeyFileError,
    Passphrase,
    Signer,
    SigningKey,
    VerifyKey,
    is_protected,
    write_key,
)
from contract.whole_file import write_whole
from orchestrator.pbes2 import encrypt
from orchestrator.ssh.agent import AgentKey
from orchestrator.ssh.public_key import read_public_key, show_public_key

PRIVATE, PUBLIC = ".pem", ".pub"
SHORTEST = 8  # characters of a passphrase


@dataclass(frozen=True, slots=True)
class NewKeys:
    """How a person wants their keys made."""

    passphrase: bytes | None = None  # of those that are made
    ssh: VerifyKey | None = None  # the person's own is this one of ssh-agent's, and none is made
    known: Passphrase | None = None  # of those that are there already

    def person(self, place: Path) -> Signer:
        """Return the person's own key, made if it is not there. Raises KeyFileError."""
        if self.ssh is not None and not public_path(place).exists():
            write_key(public_path(place), show_public_key(self.ssh).encode())
        return self.file(present(place) or place)

    def file(self, path: Path) -> Signer:
        """Return the key of a file, made if it is not there. Raises KeyFileError."""
        if not path.exists():
            return make_key(path, self.passphrase)
        if self.passphrase and path.suffix != PUBLIC and not is_protected(path):
            protect(path, None, self.passphrase)
        return open_signer(path, self.known)


PLAIN_KEYS = NewKeys()  # key files without a passphrase


def open_signer(path: Path, passphrase: Passphrase | None = None) -> Signer:
    """Return who signs by a key's file. Raises KeyFileError, PassphraseError."""
    if path.suffix == PUBLIC:
        return AgentKey(read_public_key(path))
    return SigningKey.load(path, passphrase)


def present(place: Path) -> Path | None:
    """Return the file at a key's place: the private key, or the public one of ssh-agent's.

    Raises KeyFileError if both are there: nobody could say by which one somebody signs.
    """
    found = [path for path in (place, public_path(place)) if path.exists()]
    if len(found) > 1:
        raise KeyFileError(f"{found[0]} and {found[1]} are both there; remove the one of no use")
    return found[0] if found else None


def public_path(place: Path) -> Path:
    """Return where the public half of a key of ssh-agent's stands instead of `place`."""
    return place.with_suffix(PUBLIC)


def make_key(path: Path, passphrase: bytes | None) -> SigningKey:
    """Make a key in a file that must not be there yet. Raises KeyFileError."""
    key = SigningKey.generate()
    write_key(path, _pem(key, passphrase))
    return key


def check_protectable(path: Path, services: Iterable[Path]) -> None:
    """See to it that a passphrase makes sense for a key file. Raises KeyFileError."""
    if path.resolve() in {each.resolve() for each in services}:
        message = "belongs to a service that signs while nobody is there to be asked"
        raise KeyFileError(f"{path} {message}; it can have no passphrase")
    if path.suffix == PUBLIC or (not path.exists() and public_path(path).exists()):
        message = f"{public_path(path)} is the public half of a key of ssh-agent's"
        raise KeyFileError(f"{message}; `ssh-keygen -p` changes that one's passphrase")


def protect(path: Path, old: Passphrase | None, new: bytes | None) -> None:
    """Replace a key file as a whole by one under another passphrase, or none.

    Raises KeyFileError; then it is as it was.
    """
    place = path.resolve()  # a link to a key elsewhere stays one
    key = SigningKey.load(place, old)
    try:
        if place.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            message = f"others can write to {place.parent}; move the key to a directory of your own"
            raise KeyFileError(message)
        write_whole(place, _pem(key, new))
    except OSError as error:
        raise KeyFileError(f"can't write the key {place}: {error.strerror}") from None


def _pem(key: SigningKey, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        return key.pkcs8(Encoding.PEM)
    return encrypt(key.pkcs8(Encoding.DER), passphrase)
