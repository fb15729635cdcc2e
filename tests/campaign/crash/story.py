"""Further orders whose executor is killed: with a rescue and locks, or cancelled.

Here the order lies in the host's inbox already, and only its executor is killed: at each moment at
which something lasts, whichever of them the story reaches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import worker.executor
import worker.housekeeping
import worker.line
from contract.outcome import HostRunState, StepOutcome
from contract.report import Receipt, Report
from tests.campaign.crash.defect import end_by_defects
from tests.campaign.crash.executor_points import EXECUTOR_POINTS
from tests.campaign.crash.point import Call, CrashPoint, Moment, Role, Sql
from tests.campaign.crash.trap import Trap
from tests.life import live
from tests.unit.worker.lives import be_executor, deliver, witnesses
from tests.unit.worker.steps import post_from_tool
from tests.worker_host import WorkerHost
from worker.executor import Executor
from worker.intake import Intake
from worker.ledger import Ledger
from worker.lock import release, take
from worker.rescue import Rescue

STORY = "story."  # how the names of the stories' own points begin

# What lasts in a story, and how often it comes in one.
_LASTING: tuple[tuple[Call, int], ...] = (
    (Call(Ledger, "cancel"), 1),
    (Call(Ledger, "begin_step"), 4),
    (Call(Ledger, "end_step"), 5),
    (Call(Ledger, "end"), 1),
    (Call(worker.line, "take"), 1),
    (Call(Intake, "_deal_with"), 2),
    (Call(Intake, "_cancel"), 1),
    (Call(Executor, "_end_untouched"), 1),
    (Call(worker.executor, "release"), 1),
    (Call(worker.housekeeping, "forget_step"), 1),
    (Call(Rescue, "_write_down"), 2),
)


def _points() -> Iterator[CrashPoint]:
    """Yield the executor's points, and those of what lasts in a story."""
    yield from (point for point in EXECUTOR_POINTS if not point.opened_by)
    for sql in ("INSERT INTO tombstones", "UPDATE orders"):
        yield CrashPoint(f"{STORY}{sql.lower()}:before", Role.EXECUTOR, Sql(sql))
    for call, times in _LASTING:
        for moment, nth in product(Moment, range(1, times + 1)):
            name = f"{STORY}{call.name}.{nth}:{moment}"
            yield CrashPoint(name, Role.EXECUTOR, call, moment, nth=nth)


POINTS = tuple(_points())


@dataclass(frozen=True, slots=True)
class Story:
    """An order, and what must hold at its end wherever its executor was killed."""

    name: str
    prepare: Callable[[Path], WorkerHost]
    broken: Callable[[WorkerHost], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story whose executor was to be killed at a point."""

    point: CrashPoint
    is_reached: bool
    violations: tuple[str, ...]


def tell(story: Story, point: CrashPoint, directory: Path) -> Told:
    """Let one executor be killed at the point, if it gets there, and the next one go on."""
    host = story.prepare(directory)

    def go_on() -> None:
        end_by_defects()
        be_executor(host)

    def be_killed() -> None:
        Trap(point).set()
        go_on()

    is_reached = not live(be_killed)
    live(go_on)
    laws = (f"{story.name}, {point.name}: {law}" for law in story.broken(host))
    return Told(point, is_reached, tuple(laws))


RESCUED = """\
name: rescued
lock: [service:x, file:/etc/x]
observe:
  served: {file: {path: /served, match: new|old}}
  pair: {file: {path: /pair, match: new|old}}
steps:
  - name: reload
    ensure: served.exists && pair.exists && served.matched == pair.matched
    do: {command: [/bin/tool, reload]}
    within: 10ms
    rescue:
      - name: restart
        ensure: "!served.exists && served.exists"
        do: {command: [/bin/tool, restart]}
        within: 10ms
        on_interrupt: rerun
      - name: back
        ensure: pair.exists && pair.matched == "old"
        do: {command: [/bin/tool, back, pair]}
        within: 10ms
        on_interrupt: rerun
        rolls_back: true
      - name: again
        ensure: served.exists && served.matched == "old"
        do: {command: [/bin/tool, again, served]}
        within: 10ms
        on_interrupt: rerun
        rolls_back: true
"""
TWO = """\
name: two
observe: {first: {file: {path: /a}}, second: {file: {path: /b}}}
steps:
  - name: first
    ensure: first.exists
    do: {command: [/bin/tool, a]}
    within: 100ms
    on_interrupt: rerun
  - name: second
    ensure: second.exists
    do: {command: [/bin/tool, b]}
    within: 100ms
"""


def _to_roll_back(directory: Path) -> WorkerHost:
    """Its service serves neither pair, and neither reload nor restart make it serve the new one."""
    host = WorkerHost(directory)
    (host.root / "served").write_text("none\n")
    (host.root / "pair").write_text("new\n")
    host.tool("tool", "echo $1 >> witness; [ -z $2 ] || echo old > $2")
    deliver(host, RESCUED)
    return host


def _rolled_back(host: WorkerHost) -> Iterator[str]:
    """Each effect is told, none that must not is repeated, and rolled back means put back."""
    (failed,) = host.report().passes[0].steps
    if witnesses(host, "reload") > 1:
        yield "repeated: reload may not be run again"
    for step in (failed, *failed.rescue):
        told = step.attempts if step.interrupted else 1
        allowed = 0 if step.outcome is StepOutcome.SKIPPED else told
        if witnesses(host, step.name) > allowed:
            yield f"repeated: {step.name} had more effects than the {allowed} that were told"
    yield from _put_back(host, failed.outcome, rescued=bool(failed.rescue))
    if list(host.config.locks.glob(".step-*")):
        yield "a step's lock file is left"
    release(take(host.config.locks, ["service:x", "file:/etc/x"]))


def _put_back(host: WorkerHost, outcome: StepOutcome, *, rescued: bool) -> Iterator[str]:
    texts = [(host.root / name).read_text() for name in ("served", "pair")]
    if outcome is StepOutcome.ROLLED_BACK and texts != ["old\n", "old\n"]:
        yield "told rolled_back, which is not so"
    if outcome is StepOutcome.UNKNOWN and rescued:
        yield "nobody could say that it had failed, and yet it was rescued"
    if outcome not in (StepOutcome.ROLLED_BACK, StepOutcome.UNKNOWN):
        yield f"it came to {outcome}"


def _cancelled_at_work(directory: Path) -> WorkerHost:
    """The first step's own command delivers the tombstone, so it is there in every life."""
    host = WorkerHost(directory)
    post = post_from_tool(host, host.cancel(deliver(host, TWO)))
    host.tool("tool", f"{post}; echo $1 >> witness; touch $1")
    return host


def _began_no_more(host: WorkerHost) -> Iterator[str]:
    report = host.report()
    ((first, second),) = [each.steps for each in report.passes]
    if report.state is not HostRunState.CANCELLED:
        yield f"the run is told {report.state}"
    came_to = StepOutcome.CHANGED if (host.root / "a").exists() else StepOutcome.CANCELLED
    if (first.outcome, second.outcome) != (came_to, StepOutcome.CANCELLED):
        yield f"its steps came to {first.outcome} and {second.outcome}"
    if witnesses(host, "b"):
        yield "a step began after the cancel"
    if witnesses(host, "a") > (first.attempts if first.interrupted else 1):
        yield "repeated: the first step had more effects than were told"


def _cancelled_before(directory: Path, *, cancel_first: bool) -> WorkerHost:
    host = WorkerHost(directory)
    host.tool("tool", "echo $1 >> witness; touch $1")
    letters = [order := host.order(TWO), host.cancel(order)]
    for letter in reversed(letters) if cancel_first else letters:
        host.inbox.put(letter)
    return host


def _ran_nothing(host: WorkerHost) -> Iterator[str]:
    if (host.root / "witness").exists():
        yield "something ran although it was cancelled"
    told = [message.state for message in (*host.heard(Receipt), *host.heard(Report))]
    if HostRunState.CANCELLED not in told:
        yield "unreported: the host never said that it is cancelled"


STORIES = (
    Story("rescue", _to_roll_back, _rolled_back),
    Story("cancel at work", _cancelled_at_work, _began_no_more),
    Story("cancel first", lambda d: _cancelled_before(d, cancel_first=True), _ran_nothing),
    Story("order first", lambda d: _cancelled_before(d, cancel_first=False), _ran_nothing),
)
