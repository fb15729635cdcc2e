"""Secrets for one host only: HPKE (RFC 9180), X25519 + HKDF-SHA256 + ChaCha20-Poly1305.

The library's API has no `aad`, so the context goes into `info`, each part with its length before
it: a sealed value opens only for the run, host, runbook and parameter that it was made for. HPKE's
base mode names no sender; the ciphertext therefore travels inside the signed order.
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from contract.error import DenreiError
from contract.key import SealKey, SealPublicKey

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_SIZES = (64, 256, 1024, 4096, 16384, 65536)  # padded to one of these, so that length tells little


class SealError(DenreiError):
    """A sealed value does not open: another host's, another run's, or altered."""


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a sealed value is bound to."""

    run_id: str
    host: str
    epoch: int
    runbook_sha256: str
    parameter: str

    def info(self) -> bytes:
        """Return the HPKE `info`: a version and each part behind its 4-byte length."""
        whom = (self.host, str(self.epoch))
        parts = ("denrei/v1/param", self.run_id, *whom, self.runbook_sha256, self.parameter)
        encoded = [part.encode() for part in parts]
        return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def seal(secret: str, key: SealPublicKey, context: SealContext) -> str:
    """Encrypt a secret to the host's key; base64. Raises SealError if it is too long or no text."""
    try:
        plain = secret.encode()
    except UnicodeEncodeError:
        raise SealError(f"the secret {context.parameter} is not UTF-8") from None
    sized = len(plain).to_bytes(4, "big") + plain
    size = next((size for size in _SIZES if size >= len(sized)), 0)
    if not size:
        raise SealError(f"the secret {context.parameter} is longer than {_SIZES[-1] - 4} bytes")
    padded = sized.ljust(size, b"\0")
    return base64.b64encode(_SUITE.encrypt(padded, key.key, info=context.info())).decode()


def unseal(sealed: str, key: SealKey, context: SealContext) -> str:
    """Decrypt what `seal` made for this key and context. Raises SealError."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        padded = _SUITE.decrypt(raw, key.private, info=context.info())
        length = int.from_bytes(padded[:4], "big")
        return padded[4 : 4 + length].decode()
    except (InvalidTag, ValueError, binascii.Error):
        raise SealError(
            f"the secret {context.parameter} does not open for this host and run"
        ) from None
