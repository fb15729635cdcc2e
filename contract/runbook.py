"""The language: a runbook and its parts as frozen types. `loader` makes them from YAML."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from contract.document import Position
from contract.expression import Expression
from contract.parameter import Parameter

DEFAULT_WITHIN = timedelta(seconds=30)
DEFAULT_ACTION_TIMEOUT = timedelta(minutes=5)
DEFAULT_TIMEOUT = timedelta(minutes=30)


class OnInterrupt(StrEnum):
    """What to do with a step that was interrupted and whose state does not hold afterwards."""

    UNKNOWN = "unknown"  # leave it and say so
    RERUN = "rerun"  # run its action again


class Risk(StrEnum):
    """How much harm a runbook can do; the host's policy says how many people must want it."""

    NORMAL = "normal"
    HIGH = "high"


# How many people must want a run, where neither the host's policy nor who submits says otherwise.
PEOPLE: Mapping[Risk, int] = MappingProxyType({Risk.NORMAL: 1, Risk.HIGH: 2})


@dataclass(frozen=True, slots=True)
class Observation:
    """A named, read-only look at the host."""

    name: str
    kind: str  # a key of contract.observation.OBSERVATIONS
    arguments: Mapping[str, Any]  # with `${…}` still in them
    at: Position


@dataclass(frozen=True, slots=True)
class Action:
    """What a step does when its state does not hold."""

    kind: str  # a key of contract.action.ACTIONS
    arguments: Mapping[str, Any]  # with `${…}` still in them
    at: Position


@dataclass(frozen=True, slots=True)
class Retry:
    """How often an action is tried, and how long to wait in between."""

    attempts: int = 1
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Step:
    """A state that must hold, and at most one action that makes it hold."""

    name: str
    ensure: Expression
    at: Position
    when: Expression | None = None
    do: Action | None = None
    within: timedelta = DEFAULT_WITHIN  # how long after the action the state may take to hold
    timeout: timedelta = DEFAULT_ACTION_TIMEOUT  # how long the action itself may take
    retry: Retry = Retry()
    on_interrupt: OnInterrupt = OnInterrupt.UNKNOWN
    rescue: "tuple[Step, ...]" = ()  # what to do if the step failed; these have none of their own
    rolls_back: bool = False  # of a rescue's step: its state is the earlier one, put back


@dataclass(frozen=True, slots=True)
class ForEach:
    """One pass of the whole runbook per item: per path that fits, or per listed name."""

    item: str  # the name under which steps see it
    glob: str = ""  # with `${…}` still in it
    name: str = ""  # which last components count: `uuid`, or a regular expression
    tell: str = ""  # which of the others are worth a word; empty: all of them
    only: str = ""  # a template; when it renders to something, the one item that counts
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """A declarative procedure: what to look at, and the states that must hold."""

    name: str
    summary: str
    source: str  # the exact YAML
    digest: str  # SHA-256 of the YAML bytes, lower-case hexadecimal
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...] = ()
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # values by name
    observe: tuple[Observation, ...] = ()
    for_each: ForEach | None = None
    locks: tuple[str, ...] = ()  # the resources it works on, with `${…}` still in them
    timeout: timedelta = DEFAULT_TIMEOUT
    report: Mapping[str, Expression] | None = None
    risk: Risk = Risk.NORMAL
    unattended: bool = False  # a schedule may start it, with nobody there
    tell: tuple[str, ...] = ()  # those of `report` that are sentences for people

    def all_steps(self) -> Iterator[Step]:
        """Yield every step, those of a rescue after the one that they are for."""
        for step in self.steps:
            yield step
            yield from step.rescue

    def expressions(self) -> Iterator[Expression]:
        """Yield every expression: of the steps, then of the report."""
        for step in self.all_steps():
            yield from (each for each in (step.when, step.ensure) if each)
        yield from (self.report or {}).values()

    @property
    def changes(self) -> bool:
        """Tell whether any step could change something."""
        return any(step.do for step in self.all_steps())

    def texts(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of every `${params.…}`."""
        return {f"params.{p.name}": p.to_text(parameters[p.name]) for p in self.parameters}
