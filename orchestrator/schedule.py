"""Schedules: which runbooks run by the clock, read from `schedules.yaml`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from contract.document import DocumentError, Node, Position, Problem, read_document
from contract.error import DenreiError
from contract.reading import Reader
from orchestrator.secret.provider import SecretError
from orchestrator.secret.source import parse_source
from orchestrator.selector import Selector
from orchestrator.submission import DEFAULT_EXPIRY
from orchestrator.timing import SHORTEST, Every, Timing, TimingError, check_cron

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_TOP = ("schedules", "timezone")
_KEYS = (
    "name",
    "runbook",
    "targets",
    "every",
    "cron",
    "params",
    "secrets",
    "check",
    "reason",
    "expires",
)
_NEEDED = ("name", "runbook", "targets")
_TARGETS = ("all", "hosts", "labels")
_NEVER = Every(timedelta(days=1))  # stands in for a timing that was complained of


class ScheduleError(DenreiError):
    """The file of schedules can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A runbook that runs by the clock."""

    name: str
    runbook: str
    selector: Selector
    timing: Timing
    params: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)  # sources, as for --secret
    check: bool = False
    reason: str = ""
    expires_in: timedelta = DEFAULT_EXPIRY

    def next_after(self, moment: int) -> int:
        """Return when it is due next after a moment."""
        return self.timing.slot_after(moment)


def load_schedules(path: Path) -> list[Schedule]:
    """Read the schedules; a missing file holds none.

    Raises ScheduleError, or DocumentError with the place of everything that is wrong.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ScheduleError(f"can't read {path}: {error.strerror}") from None
    return read_schedules(data, str(path))


def read_schedules(data: bytes, file: str) -> list[Schedule]:
    """Turn YAML bytes into schedules. Raises DocumentError."""
    if _is_blank(data):
        return []
    reader = Reader()
    top = reader.mapping(read_document(data, file), _TOP, what="the file of schedules")
    zone = reader.text(top, "timezone") or "UTC"
    schedules = list(_schedules(reader, top.get("schedules"), zone))
    if reader.problems:
        raise DocumentError(file, reader.problems)
    return schedules


def _is_blank(data: bytes) -> bool:
    lines = (line.strip() for line in data.splitlines())
    return all(not line or line.startswith(b"#") for line in lines)


def _schedules(reader: Reader, node: Node | None, zone: str) -> Iterable[Schedule]:
    if node is None or node.value is None:
        return
    if not isinstance(node.value, list):
        reader.complain(node.at, "schedules must be a list")
        return
    seen: set[str] = set()
    for child in node.value:
        schedule = _schedule(reader, child, zone)
        if schedule.name in seen:
            reader.complain(child.at, f"two schedules are named {schedule.name!r}")
        seen.add(schedule.name)
        yield schedule


def _schedule(reader: Reader, node: Node, zone: str) -> Schedule:
    fields = reader.mapping(node, _KEYS, _NEEDED, "a schedule")
    return Schedule(
        name=reader.name(fields, "name", _NAME),
        runbook=reader.text(fields, "runbook"),
        selector=_selector(reader, fields.get("targets")),
        timing=_timing(reader, fields, node.at, zone),
        params=_params(reader, fields.get("params")),
        secrets=_secrets(reader, fields.get("secrets")),
        check=reader.boolean(fields, "check"),
        reason=reader.text(fields, "reason"),
        expires_in=reader.duration(fields, "expires", DEFAULT_EXPIRY),
    )


def _selector(reader: Reader, node: Node | None) -> Selector:
    if node is None:
        return Selector()
    fields = reader.mapping(node, _TARGETS, what="targets")
    selector = Selector(
        hosts=tuple(reader.texts(fields, "hosts")),
        labels=_texts(reader, fields.get("labels"), "labels"),
        all=reader.boolean(fields, "all"),
    )
    if fields and not (selector.hosts or selector.labels or selector.all):
        reader.complain(node.at, "targets choose no host; write `all: true` to mean every one")
    return selector


def _timing(reader: Reader, fields: dict[str, Node], at: Position, zone: str) -> Timing:
    if ("every" in fields) == ("cron" in fields):
        reader.complain(at, "a schedule needs either `every` or `cron`")
        return _NEVER
    if "every" in fields:
        period = reader.duration(fields, "every", SHORTEST)
        if period < SHORTEST:
            reader.complain(fields["every"].at, "every: a second is the shortest period")
            return _NEVER
        return Every(period)
    try:
        return check_cron(reader.text(fields, "cron"), zone)
    except TimingError as error:
        reader.complain(fields["cron"].at, str(error))
        return _NEVER


def _params(reader: Reader, node: Node | None) -> dict[str, Any]:
    if node is None:
        return {}
    plain = node.plain()
    if isinstance(plain, dict) and all(isinstance(v, str | int | bool) for v in plain.values()):
        return plain
    reader.complain(node.at, "params must be a mapping of names to texts, integers or booleans")
    return {}


def _secrets(reader: Reader, node: Node | None) -> dict[str, str]:
    sources = _texts(reader, node, "secrets")
    for name, text in sources.items():
        at = node.find([name]).at if node else Position(1, 1)
        try:
            source = parse_source(text)
        except SecretError as error:
            reader.complain(at, f"secret {name}: {error}")
            continue
        if source.depends_on_directory:
            reader.complain(at, f"secret {name}: a schedule needs the absolute path of a file")
    return sources


def _texts(reader: Reader, node: Node | None, what: str) -> dict[str, str]:
    if node is None:
        return {}
    plain = node.plain()
    if isinstance(plain, dict) and all(isinstance(value, str) for value in plain.values()):
        return plain
    reader.problems.append(Problem(node.at, f"{what} must be a mapping of names to texts"))
    return {}
