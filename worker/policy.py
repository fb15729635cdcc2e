"""What this host allows, whatever an order says: closed by default. `policy_file` reads it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from posixpath import normpath

from contract.document import Position
from contract.duration import show_duration
from contract.reach import Reach
from contract.runbook import PEOPLE, Risk, Runbook
from contract.touch import ANYTHING, Access, Touch
from worker.hours import Window
from worker.verdict import Reason

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Request:
    """What an order asks for: all that the policy judges by."""

    runbook: Runbook
    reach: Reach
    protocol: int
    roles: frozenset[str]  # those by which the operator may order it
    persons: int  # who signed it, the operator among them
    moment: datetime  # by the host's own clock and time zone


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule of the policy says to one thing that an order asks for."""

    rule: str  # the key in policy.yaml
    subject: str  # such as `starting /bin/sh`
    reason: Reason  # for which it is refused, if it is
    by: str = ""  # what in the policy allows it
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The host's rules. What a list leaves out is not allowed; a limit left out is none."""

    runbooks: tuple[str, ...] = ()  # names as shell patterns, or `sha256:` and a digest
    roles: Mapping[str, tuple[str, ...]] | None = None  # by whom which of them; None: by anybody
    actions: tuple[str, ...] = ()  # kinds, or `*`
    executables: tuple[str, ...] = ()  # absolute paths as shell patterns
    reads: tuple[str, ...] = ()  # directories or files, with all that is below
    writes: tuple[str, ...] = ()
    units: tuple[str, ...] = ()  # names as shell patterns
    hours: Mapping[str, Window] | None = None  # by their text; None: at any time
    max_run_time: timedelta | None = None
    min_protocol: int = 1
    approvals: Mapping[Risk, int] = field(default_factory=lambda: PEOPLE)
    places: Mapping[tuple[str, str], Position] = field(default_factory=dict, compare=False)

    def rulings(self, request: Request) -> Iterator[Ruling]:
        """Yield what every rule says; an order is allowed if all of them allow it."""
        yield self.runbook(request.runbook.name, request.runbook.digest)
        yield from self._roles(request)
        yield self._protocol(request.protocol)
        yield from map(self._action, sorted(request.reach.actions))
        yield from map(self._touch, sorted(request.reach.touches))
        for unknown in request.reach.unknown:
            yield Ruling("paths", unknown, Reason.POLICY_PATH)
        yield from self._hours(request.moment)
        yield from self._run_time(request.runbook.timeout)
        yield self._approvals(request)

    def runbook(self, name: str, digest: str) -> Ruling:
        """Say whether a runbook is allowed at all, before anything in it is read."""
        by = _first(self.runbooks, lambda rule: _fits_runbook(rule, name, digest))
        subject = f"the runbook {name!r}"
        return Ruling("runbooks", subject, Reason.POLICY_RUNBOOK, by, allowed=by != "")

    def _roles(self, request: Request) -> Iterator[Ruling]:
        if self.roles is None:
            return
        name, digest = request.runbook.name, request.runbook.digest
        for role in sorted(request.roles & self.roles.keys()):
            if by := _first(self.roles[role], lambda rule: _fits_runbook(rule, name, digest)):
                subject = f"the runbook {request.runbook.name!r} by the role {role!r}"
                yield Ruling("roles", subject, Reason.POLICY_ROLE, f"{role}: {by}", allowed=True)
                return
        names = ", ".join(map(repr, sorted(request.roles))) or "nobody"
        subject = f"the runbook {request.runbook.name!r} by the role {names}"
        yield Ruling("roles", subject, Reason.POLICY_ROLE)

    def _protocol(self, protocol: int) -> Ruling:
        is_met = protocol >= self.min_protocol
        by = f"{self.min_protocol} or later"
        subject = f"protocol {protocol}"
        return Ruling("min_protocol", subject, Reason.POLICY_PROTOCOL, by, allowed=is_met)

    def _action(self, kind: str) -> Ruling:
        by = _first(self.actions, lambda rule: rule in (EVERYTHING, kind))
        return Ruling("actions", f"the action {kind!r}", Reason.POLICY_ACTION, by, allowed=by != "")

    def _touch(self, touch: Touch) -> Ruling:
        match touch.access:
            case Access.EXECUTE:
                by = _first(self.executables, lambda rule: _fits_program(rule, touch.what))
                ruling = (
                    "executables",
                    f"starting {_program(touch.what)}",
                    Reason.POLICY_EXECUTABLE,
                )
            case Access.CONTROL:
                by = _first(self.units, lambda rule: _fits_unit(rule, touch.what))
                ruling = ("units", f"control of {_unit(touch.what)}", Reason.POLICY_UNIT)
            case Access.READ:
                by = _first(self.reads, lambda root: is_below(touch.what, root))
                ruling = ("paths.read", f"reading {touch.what}", Reason.POLICY_PATH)
            case Access.WRITE:
                by = _first(self.writes, lambda root: is_below(touch.what, root))
                ruling = ("paths.write", f"writing {touch.what}", Reason.POLICY_PATH)
        return Ruling(*ruling, by, allowed=by != "")

    def _hours(self, moment: datetime) -> Iterator[Ruling]:
        if self.hours is None:
            return
        by = next((text for text, window in self.hours.items() if window.holds(moment)), "")
        subject = f"work at {moment:%a %H:%M}"
        yield Ruling("hours", subject, Reason.POLICY_HOURS, by, allowed=by != "")

    def _run_time(self, asked: timedelta) -> Iterator[Ruling]:
        if self.max_run_time is None:
            return
        by = f"at most {show_duration(self.max_run_time)}"
        subject = f"a run that may take {show_duration(asked)}"
        allowed = asked <= self.max_run_time
        yield Ruling("max_run_time", subject, Reason.POLICY_RUN_TIME, by, allowed=allowed)

    def _approvals(self, request: Request) -> Ruling:
        risk = request.runbook.risk
        wanted = self.approvals.get(risk, PEOPLE[risk])
        by = f"{risk}: {wanted}"
        subject = f"a runbook of {risk} risk by {_people(request.persons)}"
        allowed = request.persons >= wanted
        return Ruling("approvals", subject, Reason.POLICY_APPROVALS, by, allowed=allowed)


def refused(rulings: Iterable[Ruling]) -> tuple[Reason, str] | None:
    """Return the first reason to refuse, and everything that is refused for it, in a sentence."""
    against = [ruling for ruling in rulings if not ruling.allowed]
    if not against:
        return None
    reason = against[0].reason
    alike = [ruling for ruling in against if ruling.reason is reason]
    limits = dict.fromkeys(ruling.by for ruling in alike if ruling.by)
    what = ", ".join(ruling.subject for ruling in alike)
    limit = f"; its {alike[0].rule}: {', '.join(limits)}" if limits else ""
    return reason, f"this host's policy does not allow {what}{limit}"[:2000]


def is_below(path: str, root: str) -> bool:
    """Tell whether a path without `..`, or a pattern of such paths, is a root or below it."""
    bare = re.sub("/+", "/", path).rstrip("/") or "/"
    # `/opt/agent/../../etc` begins with `/opt/agent/`, and is not what was meant.
    is_plain = normpath(bare) == bare and path.startswith("/")
    return is_plain and (root in ("/", bare) or bare.startswith(f"{root}/"))


def _first(rules: Iterable[str], fits: Callable[[str], bool]) -> str:
    return next((rule for rule in rules if fits(rule)), "")


def _fits_runbook(rule: str, name: str, digest: str) -> bool:
    return rule == f"sha256:{digest}" or fnmatchcase(name, rule)


def _fits_program(rule: str, program: str) -> bool:
    # `/opt/agent/bin/../../../bin/sh` fits `/opt/agent/bin/*`, and is not what was meant.
    is_plain = normpath(program) == program and not program.startswith("//")
    is_known = is_plain and program != ANYTHING
    return (is_plain and rule == EVERYTHING) or (is_known and fnmatchcase(program, rule))


def _fits_unit(rule: str, unit: str) -> bool:
    return rule == EVERYTHING or (unit != ANYTHING and fnmatchcase(unit, rule))


def _program(path: str) -> str:
    return "whatever its environment names" if path == ANYTHING else path


def _unit(name: str) -> str:
    return "units and processes that can't be known before" if name == ANYTHING else name


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"
