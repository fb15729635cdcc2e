"""The keys by which a host is known: one to sign with, one that secrets are sealed to."""

from dataclasses import dataclass
from pathlib import Path

from contract.key import SealKey, SigningKey


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The two private keys of a host."""

    sign: SigningKey
    seal: SealKey

    @classmethod
    def at(cls, sign: Path, seal: Path) -> "HostKeys":
        """Read two key files, or make those that are not there. Raises KeyFileError."""
        return cls(SigningKey.at(sign), SealKey.at(seal))
