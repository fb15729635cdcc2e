"""A chart of what expires and fails when: time runs to the right, a line for each certificate.

Of more than MAX_ROWS certificates those that fail in the same column share a line, so the chart of
a large fleet is never longer than it is wide.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from orchestrator.certificate import Certificate
from orchestrator.cli.cert_axis import Axis, date
from orchestrator.cli.cert_view import ending
from orchestrator.cli.moment import distance
from orchestrator.cli.table import print_lines, stdout, width_of
from orchestrator.cli.visible import visible

MAX_ROWS = 40
DEFAULT_DAYS, MAX_DAYS = 90, 3650

_DAY_MS = 24 * 3600 * 1000
_WIDEST, _NARROWEST = 120, 76
_LONGEST_HOST, _GAP = 16, 2
_HEADER = ("host", "certificate", "fails")
_STYLES = {"-": "green", "=": "yellow", "x": "bold yellow", "F": "bold red", "#": "red"}
_LEGEND = "- valid   = to be renewed   x ends   F fails   # since then"


@dataclass(frozen=True, slots=True)
class _Bar:
    """A line of the chart: one certificate, or several that fail in the same column."""

    certificates: Sequence[Certificate]

    @property
    def cells(self) -> tuple[str, str, str]:
        first, count = self.certificates[0], len(self.certificates)
        hosts = {each.record.host for each in self.certificates}
        host = first.record.host if len(hosts) == 1 else f"{len(hosts)} hosts"
        name = first.name if count == 1 else f"{count} certificates"
        return visible(host), visible(name), distance(self.fails_at)

    @property
    def fails_at(self) -> int | None:
        return _earliest(each.fails_at for each in self.certificates)

    def drawn(self, axis: Axis) -> str:
        """Return the line: what holds until when, and a mark where it ends."""
        ends = axis.column(self.fails_at)
        renew = min(axis.column(_earliest(c.fact.expiring_at for c in self.certificates)), ends)
        bar = "-" * renew + "=" * (ends - renew)
        if ends < axis.width:
            fails = any(each.fact.outage_at is not None for each in self.certificates)
            bar += ("F" if fails else "x") + "#" * (axis.width - ends - 1)
        own_end = axis.column(_earliest(each.fact.not_after for each in self.certificates))
        return f"{bar[:own_end]}x{bar[own_end + 1 :]}" if ends < own_end < axis.width else bar


def show(certificates: Sequence[Certificate], days: int | None) -> None:
    """Write the chart to stdout."""
    if not certificates:
        return
    console = stdout()
    width = max(min(width_of(console), _WIDEST), _NARROWEST)
    print_lines(list(chart(certificates, days, width)), console)


def chart(certificates: Sequence[Certificate], days: int | None, width: int) -> Iterator[Text]:
    """Yield the lines of the chart, none wider than `width`."""
    now = certificates[0].now
    timed = [each for each in certificates if each.fails_at is not None]
    end = now + (days or _reach(timed, now)) * _DAY_MS
    near = sorted((c for c in timed if _first_event(c) <= end), key=lambda c: c.fails_at or 0)
    yield Text(_summary(near, now, end), style="bold")
    if near:
        yield Text()
        yield from _lines(near, now, end, width)
        yield Text()
        yield Text(_LEGEND, style="dim")
    for sentence in _left_out(certificates, timed, near, end):
        yield Text(sentence)


def _lines(near: Sequence[Certificate], now: int, end: int, width: int) -> Iterator[Text]:
    draft = Axis(now, end, max(width * 2 // 5, 24))
    bars = _bars(near, draft)
    widths = _widths([bar.cells for bar in bars], width - draft.width)
    axis = Axis(now, end, width - sum(widths) - _GAP * len(widths))
    if len(near) > MAX_ROWS:
        bars = _bars(near, axis)
    yield Text(_joined([title.upper() for title in _HEADER], widths) + axis.dates(), style="bold")
    for bar in bars:
        line = Text(_joined(bar.cells, widths))
        for mark, run in groupby(bar.drawn(axis)):
            line.append("".join(run), style=_STYLES[mark])
        yield line


def _bars(near: Sequence[Certificate], axis: Axis) -> list[_Bar]:
    if len(near) <= MAX_ROWS:
        return [_Bar([each]) for each in near]
    return [_Bar(list(group)) for _, group in groupby(near, lambda c: axis.column(c.fails_at))]


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    host, name, when = (max(map(cell_len, column)) for column in zip(_HEADER, *rows, strict=True))
    host = min(host, _LONGEST_HOST)
    return [host, min(name, room - host - when - _GAP * len(_HEADER)), when]


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [set_cell_size(ending(c, w), w) for c, w in zip(cells, widths, strict=True)]
    return "".join(cell + " " * _GAP for cell in fitted)


def _first_event(certificate: Certificate) -> int:
    return _earliest((certificate.fails_at, certificate.fact.expiring_at)) or 0


def _reach(timed: Sequence[Certificate], now: int) -> int:
    """Return how many days to look ahead: the usual number, or as far as the first event."""
    first = min(map(_first_event, timed), default=now)
    return min(max(DEFAULT_DAYS, -(-(first - now) // _DAY_MS) + 1), MAX_DAYS)


def _summary(near: Sequence[Certificate], now: int, end: int) -> str:
    failed = sum(1 for each in near if (each.fails_at or 0) <= now)
    fail = sum(1 for each in near if now < (each.fails_at or 0) <= end)
    renew = len(near) - failed - fail
    until = date(end)
    return f"{failed} failing now, {fail} to fail and {renew} more to be renewed by {until}"


def _left_out(
    certificates: Sequence[Certificate],
    timed: Sequence[Certificate],
    near: Sequence[Certificate],
    end: int,
) -> Iterator[str]:
    if later := len(timed) - len(near):
        yield f"{later} of {len(certificates)} certificates have nothing to come by {date(end)}"
    if unknown := len(certificates) - len(timed):
        yield f"{unknown} of {len(certificates)} need a look, and when they fail is not known"


def _earliest(moments: Iterable[int | None]) -> int | None:
    return min((moment for moment in moments if moment is not None), default=None)
