"""When a host may be worked on: weekly windows by its own clock, such as `Mon-Fri 08:00-18:00`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.error import DenreiError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = "|".join(_DAYS)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_WINDOW = re.compile(rf"(?:({_DAY})(?:-({_DAY}))? )?({_CLOCK})-({_CLOCK})")


class HoursError(DenreiError):
    """A text is no window of hours."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours on some days of the week; those past midnight belong to the day that they began on."""

    days: frozenset[int]  # 0 is Monday
    begin: int  # minutes after midnight
    end: int  # not more than begin: on the next day

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment of the host's own time is within the window."""
        minute = moment.hour * 60 + moment.minute
        if self.begin < self.end:
            return moment.weekday() in self.days and self.begin <= minute < self.end
        yesterday = (moment - timedelta(days=1)).weekday()
        late = moment.weekday() in self.days and minute >= self.begin
        return late or (yesterday in self.days and minute < self.end)


def parse_window(text: str) -> Window:
    """Read a window such as `Mon-Fri 08:00-18:00` or `22:00-06:00`. Raises HoursError."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise HoursError(f"{text!r} is no window such as `Mon-Fri 08:00-18:00` or `22:00-06:00`")
    first, last, begin, end = found.groups()
    if begin == "24:00":
        raise HoursError(f"{text!r} begins at 24:00; write 00:00 and the next day")
    return Window(_days(first, last), _minutes(begin), _minutes(end))


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return frozenset((begin + n) % 7 for n in range((end - begin) % 7 + 1))


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
