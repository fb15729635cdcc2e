"""A row of the stored secrets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A secret as it lies in the store."""

    name: str
    key_id: str  # of the key that it is encrypted with
    data: bytes
    set_by: str
    set_at: int
