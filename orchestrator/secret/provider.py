"""What every keeper of secrets is to the rest: something that reads one from a place."""

from typing import Protocol

from contract.error import DenreiError


class SecretError(DenreiError):
    """What was asked for is wrong: no such source or secret, or a value of no use."""


class ProviderError(DenreiError):
    """What keeps secrets fails: it can't be reached or opened, or refuses us."""


class Provider(Protocol):
    """Something that keeps secrets."""

    def read(self, place: str) -> str:
        """Return the secret at a place. Raises SecretError or ProviderError, never naming it."""
