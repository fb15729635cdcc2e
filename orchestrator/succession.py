"""The next keyring of a home: drafted, signed by its roots one by one, and then put in force.

A draft that lacks signatures is a file that can be carried to whoever keeps the other root keys.
"""

from dataclasses import dataclass
from pathlib import Path

from contract.envelope import EnvelopeError, PayloadType, countersign, sign
from contract.error import DenreiError
from contract.key import Signer, SigningKey
from contract.keyring import Keyring
from contract.order import encode
from contract.succession import lacking, read_keyring
from contract.whole_file import write_whole
from orchestrator.home import Home
from orchestrator.store.store import Store

_NEW = ".new.pem"


class DraftError(DenreiError):
    """There is a draft in the way, or none, or it fits no more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the next keyring is."""

    keyring: Keyring
    lacking: tuple[str, ...]  # what is missing until it is in force; nothing: it is
    draft: Path


def draft(home: Home, store: Store, following: Keyring, roots: list[Signer], now: int) -> Progress:
    """Sign a keyring with these roots, and put it in force if they are enough.

    Raises DraftError, SuccessionError.
    """
    path = home.keyring_draft
    if path.exists():
        message = f"{path} is not in force yet; sign it with `denrei key sign`, or remove it"
        raise DraftError(message)
    letter = sign(PayloadType.KEYRING, encode(following), roots)
    return _advance(home, store, letter, now)


def sign_draft(home: Home, store: Store, root: Signer, now: int) -> Progress:
    """Add one root's signature to the draft. Raises DraftError, SuccessionError, EnvelopeError."""
    try:
        letter = home.keyring_draft.read_bytes()
    except FileNotFoundError:
        raise DraftError(f"no draft at {home.keyring_draft}; there is nothing to sign") from None
    try:
        return _advance(home, store, countersign(letter, root), now)
    except EnvelopeError as error:
        raise DraftError(f"{home.keyring_draft}: {error}") from None


def _advance(home: Home, store: Store, letter: bytes, now: int) -> Progress:
    current, following = store.keyrings.newest(), read_keyring(letter)
    if following.version != current.version + 1:
        message = f"it would be version {following.version}, and {current.version} is in force"
        raise DraftError(f"{message}: remove {home.keyring_draft}, and begin again")
    missing = tuple(lacking(letter, [current.roots, following.roots]))
    if missing:
        write_whole(home.keyring_draft, letter)
        return Progress(following, missing, home.keyring_draft)
    store.keyrings.add(letter, now)
    home.keyring_draft.unlink(missing_ok=True)
    _adopt(home, following)
    return Progress(following, (), home.keyring_draft)


def new_key_path(path: Path) -> Path:
    """Return where the key waits that will take a key file's place."""
    return path.with_name(path.name.removesuffix(".pem") + _NEW)


def _adopt(home: Home, keyring: Keyring) -> None:
    """Let new keys take their places, now that the keyring in force knows them.

    A crash before this leaves the old keys, which count still; the next change goes on with it.
    """
    known = {each.key for owner in keyring.signing for each in owner.keys}
    known |= {root.key for root in keyring.roots.keys}
    for waiting in sorted((home.path / "keys").rglob(f"*{_NEW}")):
        if SigningKey.load(waiting).public.text in known:
            place = waiting.with_name(waiting.name.removesuffix(_NEW) + ".pem")
            if place.exists():
                old = SigningKey.load(place).public.id[:8]
                place.rename(place.with_name(f"{place.stem}.old-{old}.pem"))
            waiting.rename(place)
