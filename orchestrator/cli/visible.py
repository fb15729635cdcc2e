"""Text from hosts made safe to show: what would act on a terminal becomes visible instead."""

from typing import Any

from contract.acting import spelt_out

_MAX_LINES = 400


def visible(value: Any) -> str:
    """Return a value as one line in which every acting character is spelt out."""
    return spelt_out(str(value))


def visible_lines(text: str) -> list[str]:
    """Return the lines of a longer text, safe to show; a very long one loses its middle."""
    lines = [visible(line.rstrip("\r").expandtabs(4)) for line in text.rstrip("\n").split("\n")]
    if len(lines) <= _MAX_LINES:
        return lines
    half = _MAX_LINES // 2
    return [*lines[:half], f"… {len(lines) - 2 * half} lines left out …", *lines[-half:]]


def show_value(value: Any) -> str:
    """Return an observed value as a person would write it: true, 3, a text, or a short list."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(show_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{visible(k)}: {show_value(v)}" for k, v in value.items()) + "}"
    return visible(value)
