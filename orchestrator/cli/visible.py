"""Text from hosts made safe to show: what would act on a terminal becomes visible instead."""

import re
from typing import Any

# C0 and C1 controls, soft hyphen, bidirectional marks and overrides, zero-width characters, line
# separators, tags and lone surrogates: each could move, hide or reorder what a person reads.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_MAX_LINES = 400


def visible(value: Any) -> str:
    """Return a value as one line in which every acting character is spelt out."""
    return _ACTING.sub(_spell, str(value))


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


def _spell(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
