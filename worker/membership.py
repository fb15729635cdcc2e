"""What makes this host one of a fleet: its admission, and the keyring that it follows.

Both lie in the state directory as the letters that they came in. They were verified when they
came; nobody but the executor's user can write there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.envelope import EnvelopeError, PayloadType, peek
from contract.error import DenreiError
from contract.keyring import Admission, Duty, Keyring
from contract.order import MessageError, decode
from contract.signatory import Signatories
from contract.succession import SuccessionError, open_first, open_next, read_keyring
from worker.config import Config

_ADMISSION = frozenset({PayloadType.ADMISSION})


class MembershipError(DenreiError):
    """This host is no member of a fleet, or an admission is not its own."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whom this host believes, and as what it is known."""

    admission: Admission
    keyring: Keyring
    keyring_letter: bytes

    @property
    def host(self) -> str:
        """Return this host's name."""
        return self.admission.host

    @property
    def epoch(self) -> int:
        """Return which enrolment of this name it is."""
        return self.admission.epoch


def load_membership(config: Config) -> Membership:
    """Read what was kept. Raises MembershipError."""
    admission, letter = read_admission(config), _read(config.keyring)
    try:
        keyring = read_keyring(letter)
    except SuccessionError as error:
        raise _damaged(config, error) from None
    if admission.host != config.name:
        message = f"{config.admission} admits {admission.host!r}, and this is {config.name!r}"
        raise MembershipError(message)
    return Membership(admission, keyring, letter)


def read_admission(config: Config) -> Admission:
    """Read the word that this host is a member. Raises MembershipError."""
    try:
        return decode(peek(_read(config.admission))[1], Admission)
    except (EnvelopeError, MessageError) as error:
        raise _damaged(config, error) from None


def join(keyrings: Sequence[bytes], admission: bytes, pinned: str, now: int) -> Membership:
    """Return the membership that letters make: keyrings step by step from the roots pinned.

    Raises SuccessionError, EnvelopeError, MembershipError.
    """
    if not keyrings:
        raise MembershipError("there is no keyring with it")
    keyring = open_first(keyrings[0], pinned)
    for letter in keyrings[1:]:
        keyring = open_next(letter, keyring)
    return Membership(open_admission(admission, Signatories(keyring), now), keyring, keyrings[-1])


def open_admission(letter: bytes, signatories: Signatories, now: int) -> Admission:
    """Return an admission that a registrar signed whose key counts now.

    Raises EnvelopeError, MembershipError.
    """
    verified = signatories.verify(letter, _ADMISSION)
    for signer in (signatories[key_id] for key_id in verified.key_ids):
        if not signer.has_duty(Duty.REGISTRAR):
            raise MembershipError(f"{signer.name!r} may admit nobody")
        if not signer.window.counts_at(now):
            raise MembershipError(f"the key of {signer.name!r} does not count now")
    try:
        return decode(verified.payload, Admission)
    except MessageError as error:
        raise MembershipError(str(error)) from None


def _damaged(config: Config, error: DenreiError) -> MembershipError:
    return MembershipError(f"{config.state}: what this host trusts is damaged: {error}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"no {path}: this host is not enrolled; run `denrei-worker enrol TOKEN`"
        raise MembershipError(message) from None
    except OSError as error:
        raise MembershipError(f"can't read {path}: {error.strerror}") from None
