"""When a schedule is due: by cron's five fields, or every so often."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery import Celery
from celery.schedules import ParseException, crontab

from contract.duration import show_duration
from contract.error import DenreiError
from contract.instant import from_datetime, now_ms, to_datetime

SHORTEST = timedelta(seconds=1)

_FIELDS = 5
_HORIZON_DAYS = 366 * 9  # from one 29 February to the next there can be eight years


class TimingError(DenreiError):
    """Nobody can tell when this would be due."""


@dataclass(frozen=True, slots=True)
class Every:
    """Due at whole multiples of a period since 1970, so that two beats agree on the moments."""

    period: timedelta

    def slot_after(self, moment: int) -> int:
        """Return the first due moment after this one."""
        period = round(self.period.total_seconds() * 1000)
        return (moment // period + 1) * period

    def __str__(self) -> str:
        """Write it for people."""
        return f"every {show_duration(self.period)}"


@dataclass(frozen=True, slots=True)
class Cron:
    """Due by minute, hour, day of month, month and day of week, in a time zone.

    A day must fit both its fields. A time that the clocks leave out falls after the gap; one that
    they repeat counts once.
    """

    text: str
    zone: str

    def slot_after(self, moment: int) -> int:
        """Return the first due moment after this one. Raises ValueError if there is none."""
        zone = ZoneInfo(self.zone)
        cron = _crontab(self.text)
        day = to_datetime(moment).astimezone(zone).date()
        for _ in range(_HORIZON_DAYS):
            # Where the clocks go forward, the wall's order is not that of the moments.
            later = [slot for slot in _slots(cron, day, zone) if slot > moment]
            if later:
                return min(later)
            day += timedelta(days=1)
        raise ValueError("it is never due")

    def __str__(self) -> str:
        """Write it for people."""
        return f"cron {self.text} ({self.zone})"


Timing = Every | Cron


def check_cron(text: str, zone: str) -> Cron:
    """Return the timing of cron's five fields. Raises TimingError."""
    cron = Cron(text, zone)
    try:
        cron.slot_after(now_ms())
    except ZoneInfoNotFoundError:
        raise TimingError(f"unknown time zone {zone!r}; write one such as Europe/Berlin") from None
    except (ParseException, ValueError, RuntimeError) as error:
        message = f"{text!r} is not minute, hour, day, month and weekday as cron has them: {error}"
        raise TimingError(message) from None
    return cron


def _slots(cron: Any, day: date, zone: ZoneInfo) -> list[int]:
    """Return the due moments of one day; `cron` is a crontab, whose fields the stubs don't know.

    Celery reads the fields, the days are counted here: its own `remaining_delta` leaves a month
    out when it is asked in the last minute before it.
    """
    is_due = day.month in cron.month_of_year and day.day in cron.day_of_month
    if not is_due or day.isoweekday() % 7 not in cron.day_of_week:
        return []
    times = product(cron.hour, cron.minute)
    return [from_datetime(datetime.combine(day, time(*each), tzinfo=zone)) for each in times]


@lru_cache(maxsize=256)
def _crontab(text: str) -> crontab:
    fields = text.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields instead of {_FIELDS}")
    minute, hour, day, month, weekday = fields
    app = Celery("denrei-timing", set_as_current=False)
    return crontab(minute, hour, weekday, day, month, nowfun=lambda: datetime.now(UTC), app=app)
