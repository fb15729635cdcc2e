"""Moments for people: the local clock, and how long ago."""

from datetime import datetime

from contract.instant import now_ms, show_instant, to_datetime

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def stamp(ms: int | None) -> str:
    """Return the local date and time to the second."""
    return _local(ms).strftime("%Y-%m-%d %H:%M:%S") if ms is not None else "-"


def clock(ms: int | None) -> str:
    """Return the local time of day; with the date in front if it is not today."""
    if ms is None:
        return "-"
    moment, today = _local(ms), _local(now_ms()).date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")


def ago(ms: int | None) -> str:
    """Return how long ago a moment was, in its largest unit."""
    if ms is None:
        return "never"
    seconds = (now_ms() - ms) // 1000
    if seconds < 1:
        return "just now"
    size, unit = next(step for step in _STEPS if seconds >= step[0])
    return f"{seconds // size} {unit} ago"


def distance(ms: int | None) -> str:
    """Return how far away a moment is, in its largest unit: `in 22 d`, `3 h ago`."""
    if ms is None:
        return "-"
    seconds = (ms - now_ms()) // 1000
    if seconds < 1:
        return ago(ms)
    size, unit = next(step for step in _STEPS if seconds >= step[0])
    return f"in {seconds // size} {unit}"


def took(start: int | None, end: int | None) -> str:
    """Return the seconds between two moments, or nothing while one of them is open."""
    if start is None or end is None:
        return ""
    return f"{max(end - start, 0) / 1000:.1f} s"


def rfc3339(ms: int | None) -> str | None:
    """Return a moment for machines: RFC 3339 in UTC."""
    return show_instant(to_datetime(ms)) if ms is not None else None


def _local(ms: int) -> datetime:
    return to_datetime(ms).astimezone()
