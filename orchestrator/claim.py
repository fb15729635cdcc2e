"""The claim of a letter to be a host's: all that is needed to look into it."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from contract.envelope import EnvelopeError, open_envelope
from contract.error import DenreiError
from contract.key import VerifyKey
from contract.order import PROTOCOL, MessageError, decode, letter_digest
from contract.report import FromHost
from orchestrator.heard import MESSAGES, Heard, heard
from orchestrator.store.owner import Owner

_TYPES = frozenset(MESSAGES)


class LetterError(DenreiError):
    """A letter must not be believed; it is not stored."""


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A letter, and those of our hosts who may have signed it."""

    letter: bytes
    owners: tuple[Owner, ...]

    def look_into(self) -> Heard:
        """Return what it tells if its host signed it and nobody else, or why it is not believed."""
        try:
            opened = open_envelope(self.letter, _TYPES)
            opened.verify({owner.key_id: _checked(owner.sign_key) for owner in self.owners})
            message = decode(opened.payload, MESSAGES[opened.type])
            _check(message, self.owners)
        except (EnvelopeError, MessageError, LetterError) as error:
            return Heard(str(error))
        return heard(opened.type, letter_digest(self.letter), message)


def look_into(claims: Sequence[Claim]) -> list[Heard]:
    """Look into each."""
    return [claim.look_into() for claim in claims]


def _check(message: FromHost, owners: Sequence[Owner]) -> None:
    """See to it that one host signed, that it speaks for itself, and as who it is now."""
    if len(owners) != 1:
        raise LetterError("signed by more than one host")
    (owner,) = owners
    if message.host != owner.host:
        raise LetterError(f"it speaks for {message.host!r}, but {owner.host!r} signed it")
    if message.epoch != owner.epoch:
        raise LetterError(f"it speaks for epoch {message.epoch}, the key is of {owner.epoch}")
    if message.v != PROTOCOL:
        raise LetterError(f"protocol {message.v} is not spoken here, only {PROTOCOL}")


@lru_cache(maxsize=20_000)
def _checked(public: str) -> VerifyKey:
    """Return a key, checked as every one that comes in; hosts speak often."""
    return VerifyKey(public)
