"""The time with which a line of a log begins, in the usual ways of writing it."""

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"\[?(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?: ?(?P<zone>Z|[+-]\d\d:?\d\d|UTC\b))?",
    re.ASCII,
)
_SYSLOG = re.compile(
    r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(?P<day>\d\d?)"
    r" (?P<time>\d\d:\d\d:\d\d)\b",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCKS_DIFFER = timedelta(days=1)


def leading_time(line: str, now: datetime) -> datetime | None:
    """Return the time at a line's beginning, or None if it has none.

    A time without a zone is in the machine's own; one without a year is the latest that is past.
    """
    try:
        if found := _ISO.match(line):
            return _iso(found)
        if found := _SYSLOG.match(line):
            return _syslog(found, now)
    except (ValueError, OverflowError):
        return None  # such as the 30th of February
    return None


def _iso(found: re.Match[str]) -> datetime:
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    moment = datetime.fromisoformat(f"{found['date']}T{found['time']}.{fraction}")
    zone = found["zone"]
    if zone is None:
        return moment.astimezone(UTC)
    if zone in ("Z", "UTC"):
        return moment.replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{moment.isoformat()}{zone}").astimezone(UTC)


def _syslog(found: re.Match[str], now: datetime) -> datetime | None:
    month, day = _MONTHS.index(found["month"]) + 1, int(found["day"])
    for year in range(now.year + 1, now.year - 5, -1):  # back to a leap year
        try:
            text = f"{year}-{month:02}-{day:02}T{found['time']}"
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            continue
        if moment <= now + _CLOCKS_DIFFER:
            return moment
    return None
