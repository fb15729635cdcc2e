"""How this host fares, judged from its own files: without network, without writing anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from worker.clock import Comparison
from worker.courier_state import CourierState
from worker.ledger_file import SKEW_MS
from worker.ledger_view import Standing
from worker.liveness import Holder
from worker.rest import ASLEEP

QUIET_S = 60.0  # a courier that works speaks, and hears itself, more often
_QUIET_WORDS = 4  # or than so many of its words to itself, where those come seldom
TAKEN_WITHIN_S = 60.0  # an executor that works takes every letter sooner
LITTLE_FREE = 64 * 1024 * 1024  # bytes: with less the ledger will soon take no order


class Life(StrEnum):
    """Whether a process is there and can do anything."""

    RUNNING = "running"
    STOPPED = "stopped"  # by a signal: it lives and does nothing
    NOT_RUNNING = "not running"
    ASLEEP = "asleep"  # it ended for want of work; the next letter starts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found on the host at one moment."""

    host: str
    worker: str  # the version that is installed
    now: int  # ms since 1970
    boot_id: str
    boot_s: float  # seconds since boot
    courier: Holder | None  # who holds its lock
    executor: Holder | None
    word: CourierState | None  # the courier's last
    executor_word: str = ""  # what the executor noted last, living or not
    inbox: int  # letters
    outbox: int
    oldest_s: float = 0.0  # how long the first letter has lain in the inbox
    ledger: Standing | None = None
    ledger_trouble: str = ""  # why it can't be read
    clock: Comparison | None = None

    @property
    def process_control(self) -> str | None:
        """Return how the executor keeps together what a step starts; None: it has not said."""
        return self.executor.word or None if self.executor else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the facts mean."""

    facts: Facts
    courier: Life
    executor: Life
    connected: bool | None  # None: nobody who would know can say
    said_s: float | None  # how long ago the courier last said something
    self_ping_s: float | None  # how long ago its own word last came back through the broker
    concerns: list[str] = field(default_factory=list)  # what needs a look


def judge(facts: Facts) -> Status:
    """Return what the facts mean."""
    courier, word = _life(facts.courier), facts.word
    said_s = _ago(facts, word, word.said_s, word.said_at) if word else None
    heard_s = _heard_s(facts, word) if word else None
    speaks = courier is Life.RUNNING and _is_its_own(facts) and (said_s or 0.0) <= _quiet_s(word)
    status = Status(
        facts=facts,
        courier=courier,
        executor=_executor_life(facts),
        connected=word.connected if word and speaks else None,
        said_s=said_s,
        self_ping_s=heard_s,
    )
    status.concerns.extend([*_about_courier(status), *_about_executor(status)])
    status.concerns.extend([*_about_ledger(facts), *_about_clock(facts)])
    return status


def _life(holder: Holder | None) -> Life:
    if holder is None:
        return Life.NOT_RUNNING
    return Life.STOPPED if holder.stopped else Life.RUNNING


def _executor_life(facts: Facts) -> Life:
    if facts.executor is None and facts.executor_word == ASLEEP:
        return Life.ASLEEP
    return _life(facts.executor)


def _is_its_own(facts: Facts) -> bool:
    """Tell whether the word is the living courier's, not of one before it."""
    word, holder = facts.word, facts.courier
    if word is None or holder is None or word.boot_id != facts.boot_id:
        return False
    return holder.pid <= 0 or word.pid == holder.pid  # 0: its pid is another namespace's


def _ago(facts: Facts, word: CourierState, seconds: float, moment: int) -> float:
    if word.boot_id == facts.boot_id:
        return max(facts.boot_s - seconds, 0.0)
    return max((facts.now - moment) / 1000, 0.0)


def _heard_s(facts: Facts, word: CourierState) -> float | None:
    if word.heard_at is None or word.heard_s is None:
        return None
    return _ago(facts, word, word.heard_s, word.heard_at)


def _quiet_s(word: CourierState | None) -> float:
    return max(QUIET_S, _QUIET_WORDS * word.keepalive_s) if word else QUIET_S


def _about_courier(status: Status) -> Iterator[str]:
    word = status.facts.word
    if status.courier is not Life.RUNNING:
        said = "" if status.said_s is None else f"; it last said something {_s(status.said_s)} ago"
        yield f"the courier is {status.courier}{said}"
    elif word is None or not _is_its_own(status.facts):
        yield "the courier has said nothing yet"
    elif status.connected is None and word.connected is not None:
        yield f"the courier has said nothing for {_s(status.said_s or 0.0)}"
    elif not status.connected:
        yield f"the courier does not reach the broker: {word.trouble or 'not tried yet'}"
    elif status.self_ping_s is None:
        yield "the courier has heard nothing of its own through the broker yet"
    elif status.self_ping_s > _quiet_s(word):
        yield f"the courier has heard nothing of its own for {_s(status.self_ping_s)}"


def _about_executor(status: Status) -> Iterator[str]:
    facts = status.facts
    if status.executor not in (Life.RUNNING, Life.ASLEEP):
        yield f"the executor is {status.executor}"
    elif facts.oldest_s > TAKEN_WITHIN_S:
        yield f"the executor has not taken a letter that came {_s(facts.oldest_s)} ago"


def _about_ledger(facts: Facts) -> Iterator[str]:
    if facts.ledger is None:
        yield facts.ledger_trouble
        return
    if facts.ledger.damage:
        yield f"the ledger is damaged: {facts.ledger.damage}"
    if facts.ledger.free < LITTLE_FREE:
        yield f"the ledger's disk has only {facts.ledger.free // 1024} KiB left"


def _about_clock(facts: Facts) -> Iterator[str]:
    if facts.clock and facts.clock.skew_ms < -SKEW_MS:
        behind = _s(-facts.clock.skew_ms / 1000)
        yield f"this host's clock is behind by at least {behind}: new orders are refused"


def _s(seconds: float) -> str:
    return f"{seconds:.0f} s"
