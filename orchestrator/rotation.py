"""Rotation: the new key of a person, a service or a root, made beside the old one."""

from pathlib import Path
from typing import NamedTuple

from contract.key import KeyFileError, Passphrase, Signer, is_protected
from orchestrator.amendment import AmendmentError
from orchestrator.home import SERVICES, Home
from orchestrator.key_file import PUBLIC, NewKeys, open_signer, present
from orchestrator.ssh.public_key import read_public_key
from orchestrator.succession import new_key_path


class Rotation(NamedTuple):
    """The key that signs now, and the one that will, with the file of each."""

    old: Signer
    new: Signer
    place: Path
    waiting: Path


def begin(home: Home, name: str, ssh: Path | None, passphrase: Passphrase) -> Rotation:
    """Make the new key, or take up the one of a first attempt. Raises KeyFileError, AmendmentError.

    A private key gets the old one's passphrase; with `ssh` it is one of ssh-agent's.
    """
    if ssh and name in SERVICES:
        raise AmendmentError(f"{name} signs while nobody is there; its key can't be ssh-agent's")
    place = home.key_place(name)
    if (there := present(place)) is None:
        raise KeyFileError(f"no key at {place}")
    old = open_signer(there, passphrase)
    same = passphrase(there) if there.suffix != PUBLIC and is_protected(there) else None
    known = passphrase if same is None else lambda _path: same
    new_place = new_key_path(place)
    new = NewKeys(same, read_public_key(ssh) if ssh else None, known).person(new_place)
    return Rotation(old, new, there, present(new_place) or new_place)
