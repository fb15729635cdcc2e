"""Moments as they travel: whole milliseconds since 1970, UTC, and RFC 3339 for people."""

import re
import time
from datetime import UTC, datetime

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d")


def now_ms() -> int:
    """Return the wall clock in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def to_datetime(ms: int) -> datetime:
    """Return the moment as an aware datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def from_datetime(moment: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def show_instant(moment: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC: to the second, or to the millisecond."""
    utc = moment.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=precision).replace("+00:00", "Z")


def parse_instant(text: str) -> datetime | None:
    """Read a moment in RFC 3339, such as `2026-11-25T15:00:00Z`; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if _RFC_3339.match(text) and moment.tzinfo else None
    except (ValueError, OverflowError):  # the year 1 has no moment before it
        return None
