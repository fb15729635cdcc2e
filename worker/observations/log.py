"""The observation `log`: the lines at the end of a text log that fit, and their times."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contract.duration import is_duration, parse_duration
from contract.instant import parse_instant, show_instant
from contract.probe import Log
from worker.observations.content import open_regular
from worker.observations.observation import Fields, ObservationError, compiled, looking_at
from worker.observations.timestamp import leading_time
from worker.root import Root

LARGEST = 8 * 1024 * 1024  # what is read of a log, from its end
_LONGEST_LINE = 8 * 1024
_LONGEST_SHOWN = 1000
_MOST_TIMES = 1000


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, and the time of the last one up to it that had one."""

    text: str
    at: datetime | None


def observe_log(arguments: Log, root: Root) -> Fields:
    """Search the end of the log line by line, from `since` on."""
    wanted = compiled(arguments.match)
    since = _since(arguments.since) if arguments.since else None
    path = root.locate(arguments.path)
    read = _tail(path)
    if read is None:
        return {"exists": False}
    data, is_whole = read
    lines = list(_lines(data, datetime.now(UTC)))
    first = next((line.at for line in lines if line.at), None)
    if since and lines and first is None:
        raise ObservationError(f"no line of {path} begins with a time, so none is known since when")
    fitting = [
        line for line in lines if _is_since(line, since) and wanted.find(line.text) is not None
    ]
    reaches_back = is_whole or (since is not None and first is not None and first < since)
    return {
        "exists": True,
        "count": len(fitting),
        "times": [show_instant(line.at) for line in fitting if line.at][-_MOST_TIMES:],
        **_last(fitting),
        "truncated": not reaches_back,
    }


def _since(text: str) -> datetime:
    if is_duration(text):
        return datetime.now(UTC) - parse_duration(text)
    if moment := parse_instant(text):
        return moment
    raise ObservationError(f"{text!r} is neither a duration nor a moment in RFC 3339")


def _tail(path: Path) -> tuple[bytes, bool] | None:
    """Return the end of a file from a line's beginning, and whether that is all of it."""
    file = open_regular(path)
    if file is None:
        return None
    with file, looking_at(path):
        size = os.fstat(file.fileno()).st_size
        if size <= LARGEST:
            return file.read(LARGEST), True
        file.seek(size - LARGEST - 1)
        return file.read(LARGEST + 1).partition(b"\n")[2], False


def _lines(data: bytes, now: datetime) -> Iterator[_Line]:
    at = None
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        text = line[:_LONGEST_LINE].decode(errors="backslashreplace").removesuffix("\r")
        at = leading_time(text, now) or at
        yield _Line(text, at)


def _is_since(line: _Line, since: datetime | None) -> bool:
    return since is None or (line.at is not None and line.at >= since)


def _last(fitting: list[_Line]) -> Fields:
    if not fitting:
        return {"matched": False, "dated": False}
    last = fitting[-1]
    dated: Fields = {"dated": True, "last_at": last.at} if last.at else {"dated": False}
    return {"matched": True, "last": last.text[:_LONGEST_SHOWN], **dated}
