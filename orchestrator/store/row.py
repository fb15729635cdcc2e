"""Turns records into the values of a row."""

from dataclasses import fields
from enum import Enum
from typing import Any


def to_row(record: Any) -> dict[str, Any]:
    """Return a record's fields by name; enums as their values, which every driver understands."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: v.value if isinstance(v, Enum) else v for name, v in values.items()}
