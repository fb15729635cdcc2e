"""The time axis of a chart in the terminal: moments as columns, and the line of dates above."""

from dataclasses import dataclass

from contract.instant import to_datetime

_APART = 14  # columns from one date to the next


@dataclass(frozen=True, slots=True)
class Axis:
    """Columns from a moment on; the first one stands for all that was before."""

    start: int  # ms since 1970
    end: int
    width: int

    def column(self, ms: int | None) -> int:
        """Return the column of a moment: 0 for the past, `width` beyond the end or if unknown."""
        if ms is None:
            return self.width
        if ms <= self.start:
            return 0
        if ms >= self.end:
            return self.width
        return 1 + (ms - self.start) * (self.width - 1) // (self.end - self.start)

    def dates(self) -> str:
        """Return the line of dates: each begins at its own column; the first one is `now`."""
        line = "now"
        for column in range(_APART, self.width - len("2026-01-01") + 1, _APART):
            line = line.ljust(column) + date(self.moment(column))
        return line

    def moment(self, column: int) -> int:
        """Return when a column begins."""
        return self.start + max(column - 1, 0) * (self.end - self.start) // (self.width - 1)


def date(ms: int) -> str:
    """Return the date of a moment, UTC."""
    return to_datetime(ms).strftime("%Y-%m-%d")
