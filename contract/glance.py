"""A glance at a letter, cheaper than opening it: by whom it seems to say it is signed.

Only for looking up keys. It is not even read as strictly as an envelope is; `open_envelope` is.
"""

from typing import Annotated

import msgspec

from contract.envelope import MAX_BYTES, MAX_SIGNATURES


class _Name(msgspec.Struct):
    """Of a signature whose it is said to be."""

    keyid: Annotated[str, msgspec.Meta(max_length=32)]


class _Glance(msgspec.Struct):
    """Of an envelope who is said to have signed it."""

    signatures: Annotated[list[_Name], msgspec.Meta(max_length=MAX_SIGNATURES)]


def said_signers(data: bytes) -> list[str]:
    """Return the ids of the keys that a letter names; none if it is no letter."""
    if len(data) > MAX_BYTES:
        return []
    try:
        glance = msgspec.json.decode(data, type=_Glance)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [each.keyid for each in glance.signatures]
