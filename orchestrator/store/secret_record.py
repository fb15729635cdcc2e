"""A row of the stored secrets."""

from msgspec import Struct


class StoredSecret(Struct, frozen=True, kw_only=True):
    """A secret as it lies in the store."""

    name: str
    key_id: str  # of the key that it is encrypted with
    data: bytes
    set_by: str
    set_at: int
