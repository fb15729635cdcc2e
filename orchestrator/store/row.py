"""Turns records into the values of a row."""

from enum import Enum
from typing import Any

from msgspec import Struct, structs


def to_row(record: Struct) -> dict[str, Any]:
    """Return a record's fields by name; enums as their values, which every driver understands."""
    values = structs.asdict(record)
    return {name: v.value if isinstance(v, Enum) else v for name, v in values.items()}
