"""What makes this host one of a fleet: its admission, and the keyring that it follows.

Both lie in the state directory as the letters that they came in. They were verified when they
came; nobody but the executor's user can write there.
"""

from dataclasses import dataclass
from pathlib import Path

from contract.envelope import EnvelopeError, PayloadType, peek
from contract.error import DenreiError
from contract.keyring import Admission, Duty, Keyring
from contract.order import MessageError, decode
from contract.signatory import Signatories
from contract.succession import SuccessionError, open_first, read_keyring
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
    letters = [_read(config.keyring), _read(config.admission)]
    try:
        keyring = read_keyring(letters[0])
        admission = decode(peek(letters[1])[1], Admission)
    except (SuccessionError, EnvelopeError, MessageError) as error:
        raise MembershipError(
            f"{config.state}: what this host trusts is damaged: {error}"
        ) from None
    if admission.host != config.name:
        message = f"{config.admission} admits {admission.host!r}, and this is {config.name!r}"
        raise MembershipError(message)
    return Membership(admission, keyring, letters[0])


def join(keyring_letter: bytes, admission_letter: bytes, pinned: str, now: int) -> Membership:
    """Return the membership that two letters make, by the roots that were pinned.

    Raises SuccessionError, EnvelopeError, MembershipError.
    """
    keyring = open_first(keyring_letter, pinned)
    admission = open_admission(admission_letter, Signatories(keyring), now)
    return Membership(admission, keyring, keyring_letter)


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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = (
            f"no {path}: this host is not enrolled; run `denrei-worker trust` with its welcome"
        )
        raise MembershipError(message) from None
    except OSError as error:
        raise MembershipError(f"can't read {path}: {error.strerror}") from None
