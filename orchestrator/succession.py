"""The next keyring of a home: drafted, signed by its roots one by one, and then put in force.

A draft that lacks signatures is a file that can be carried to whoever keeps the other root keys.
"""

from dataclasses import dataclass
from pathlib import Path

from contract.envelope import EnvelopeError, PayloadType, countersign, sign
from contract.error import DenreiError
from contract.key import Passphrase, Signer
from contract.keyring import Keyring
from contract.order import encode
from contract.succession import lacking, open_first, open_next, read_keyring
from contract.whole_file import write_whole
from orchestrator.home import Home
from orchestrator.key_file import PRIVATE, open_signer, present
from orchestrator.store.store import Store

_NEW = ".new"


class DraftError(DenreiError):
    """There is a draft in the way, or none, or it fits no more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the next keyring is."""

    keyring: Keyring
    lacking: tuple[str, ...]  # what is missing until it is in force; nothing: it is
    draft: Path


@dataclass(frozen=True, slots=True)
class Succession:
    """Puts the next keyring in force."""

    home: Home
    store: Store
    passphrase: Passphrase | None = None  # of keys that wait to take their places

    def draft(self, following: Keyring, roots: list[Signer], now: int) -> Progress:
        """Sign a keyring with these roots, and put it in force if they are enough.

        Raises DraftError, SuccessionError, KeyFileError.
        """
        path = self.home.keyring_draft
        if path.exists():
            message = f"{path} is not in force yet; sign it with `denrei key sign`, or remove it"
            raise DraftError(message)
        return self._advance(sign(PayloadType.KEYRING, encode(following), roots), now)

    def sign_draft(self, root: Signer, now: int) -> Progress:
        """Add one root's signature to the draft.

        Raises DraftError, SuccessionError, KeyFileError.
        """
        path = self.home.keyring_draft
        try:
            letter = path.read_bytes()
        except FileNotFoundError:
            raise DraftError(f"no draft at {path}; there is nothing to sign") from None
        try:
            return self._advance(countersign(letter, root), now)
        except EnvelopeError as error:
            raise DraftError(f"{path}: {error}") from None

    def _advance(self, letter: bytes, now: int) -> Progress:
        draft = self.home.keyring_draft
        current, following = keyring_in_force(self.home, self.store), read_keyring(letter)
        if following.version != current.version + 1:
            message = f"it would be version {following.version}, and {current.version} is in force"
            raise DraftError(f"{message}: remove {draft}, and begin again")
        missing = tuple(lacking(letter, [current.roots, following.roots]))
        if missing:
            write_whole(draft, letter)
            return Progress(following, missing, draft)
        adoptions = self._adoptions(following)
        self.store.keyrings.add(letter, now)
        draft.unlink(missing_ok=True)
        for old, new in adoptions:
            old.rename(new)
        return Progress(following, (), draft)

    def _adoptions(self, keyring: Keyring) -> list[tuple[Path, Path]]:
        """Return the renames that let new keys take their places, once they are known.

        A crash before them leaves the old keys, which count still; the next change makes them.
        """
        known = {each.key for owner in keyring.signing for each in owner.keys}
        known |= {root.key for root in keyring.roots.keys}
        renames = []
        for waiting in sorted((self.home.path / "keys").rglob(f"*{_NEW}.p*")):
            if open_signer(waiting, self.passphrase).public.text in known:
                place = waiting.with_name(waiting.stem.removesuffix(_NEW) + waiting.suffix)
                if old := present(place.with_suffix(PRIVATE)):
                    name = open_signer(old, self.passphrase).public.id[:8]
                    renames.append((old, old.with_name(f"{old.stem}.old-{name}{old.suffix}")))
                renames.append((waiting, place))
        return renames


def keyring_in_force(home: Home, store: Store) -> Keyring:
    """Return the newest keyring, if it comes from the roots that this home has pinned.

    Whoever writes to the store could put another one there. Raises SuccessionError, StoreError.
    """
    letters = store.keyrings.after(0)
    if not letters:
        return store.keyrings.newest()
    keyring = open_first(letters[0], home.roots)
    for letter in letters[1:]:
        keyring = open_next(letter, keyring)
    return keyring


def new_key_path(path: Path) -> Path:
    """Return where the key waits that will take a key file's place."""
    return path.with_name(f"{path.stem}{_NEW}{path.suffix}")
