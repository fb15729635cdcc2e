"""Durations as people write them: `30s`, `1h30m`, `60d`."""

import re
from datetime import timedelta

from contract.error import DenreiError

_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
_LONGEST = timedelta(days=36500)
_MAX_CHARACTERS = 40


class DurationError(DenreiError):
    """A text is no duration: write a number and a unit (ms, s, m, h, d, w), such as 30s."""


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90s`, `1h30m` or `60d`; at most 100 years.

    Raises DurationError.
    """
    if not _WHOLE.fullmatch(text) or len(text) > _MAX_CHARACTERS:
        message = f"{text!r} is not a duration; write a number and a unit, such as 30s, 5m or 60d"
        raise DurationError(message)
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise DurationError(f"{text!r} is longer than 100 years")
    return timedelta(seconds=seconds)


def is_duration(text: str) -> bool:
    """Tell whether a text is a duration."""
    try:
        parse_duration(text)
    except DurationError:
        return False
    return True


def show_duration(value: timedelta) -> str:
    """Write a duration in the largest units that suit a reader: `1m30s`, `0.25s`, `-3s`."""
    seconds = value.total_seconds()
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    parts = []
    for unit in ("d", "h", "m"):
        count, seconds = divmod(seconds, _UNIT_S[unit])
        if count:
            parts.append(f"{int(count)}{unit}")
    if seconds or not parts:
        parts.append(f"{round(seconds, 3):g}s")
    return sign + "".join(parts)
