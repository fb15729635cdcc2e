"""Whose a signing key is that counts now."""

import msgspec


class Owner(msgspec.Struct, frozen=True, array_like=True):
    """A host's key as letters are verified with it; small enough to be handed on."""

    key_id: str
    host: str
    epoch: int
    sign_key: str
