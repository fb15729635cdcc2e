"""The claim of a letter to be signed by keys that we know: all that is needed to look into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from contract.envelope import EnvelopeError, Opened
from contract.key import VerifyKey


@dataclass(frozen=True, slots=True)
class Claim:
    """An opened letter, and the public keys that may have signed it."""

    opened: Opened
    keys: tuple[str, ...]

    def complaint(self) -> str:
        """Return why the letter must not be believed; nothing if every signature holds."""
        try:
            self.opened.verify({key.id: key for key in map(_checked, self.keys)})
        except EnvelopeError as error:
            return str(error)
        return ""


def complaints(claims: Sequence[Claim]) -> list[str]:
    """Return what is wrong with each."""
    return [claim.complaint() for claim in claims]


@lru_cache(maxsize=20_000)
def _checked(public: str) -> VerifyKey:
    """Return a key, checked as every one that comes in; hosts speak often."""
    return VerifyKey(public)
