"""When a schedule is due: by cron's five fields, or every so often."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery import Celery
from celery.schedules import ParseException, crontab

from contract.duration import show_duration
from contract.error import DenreiError
from contract.instant import from_datetime, now_ms, to_datetime

SHORTEST = timedelta(seconds=1)

_FIELDS = 5
_HOUR_MS = 3_600_000


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
        """Return the first due moment after this one."""
        zone = ZoneInfo(self.zone)
        last, delta, _ = _crontab(self.text).remaining_delta(to_datetime(moment), tz=zone)
        slot = from_datetime(last + delta)
        return slot if slot > moment else self.slot_after(moment + _HOUR_MS)

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


@lru_cache(maxsize=256)
def _crontab(text: str) -> crontab:
    fields = text.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields instead of {_FIELDS}")
    minute, hour, day, month, weekday = fields
    app = Celery("denrei-timing", set_as_current=False)
    return crontab(minute, hour, weekday, day, month, nowfun=lambda: datetime.now(UTC), app=app)
