"""A named moment at which a process can be killed: the unit of the crash campaign."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Who is killed. The courier has two threads; each is killed on its own."""

    DISPATCHER = "dispatcher"
    OPERATOR = "operator"  # who takes an order back while its host is away
    DELIVERER = "courier in"  # queue -> inbox
    EXECUTOR = "executor"
    SENDER = "courier out"  # outbox -> queue
    RECORDER = "recorder"


class Moment(StrEnum):
    """On which side of a call."""

    BEFORE = "before"
    AFTER = "after"  # once it has returned; never if it raised


class Stage(StrEnum):
    """How far the order has to be on its way."""

    ANY = "any"
    RECORDED = "recorded"  # its report is in the store; what comes now are acknowledgements
    TAKEN_BACK = "taken back"  # its tombstone is in the store, unanswered
    ANSWERED = "answered"  # the host's word on the tombstone is in the store


@dataclass(frozen=True, slots=True)
class Call:
    """A function or method, by its owner: a class or a module."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement, by how it begins; the moment is always before it."""

    begins: str


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """Where a process is killed: at a call or statement, inside of other calls."""

    name: str  # PROCESS.WHAT:MOMENT
    role: Role
    at: Call | Sql
    moment: Moment = Moment.BEFORE
    within: tuple[Call, ...] = ()
    nth: int = 1  # which of several in one life of the process
    stage: Stage = Stage.ANY
    opened_by: str = ""  # the point at which an earlier crash leads here; none: no crash needed

    @property
    def is_of_cancel(self) -> bool:
        """Tell whether it is on the way of an order that is taken back."""
        return self.role is Role.OPERATOR or self.stage is Stage.TAKEN_BACK

    @property
    def calls(self) -> tuple[Call, ...]:
        """Return every call that has to be watched for it."""
        return (*self.within, *([self.at] if isinstance(self.at, Call) else []))
