"""What must hold after any schedule: nothing lost, nothing repeated, nothing unreported."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from contract.outcome import HostRunState, StepOutcome
from contract.report import Report, StepReport
from orchestrator.audit import verify_all
from orchestrator.store.record import Kind, StoredEnvelope
from tests.campaign.crash.point import Role
from tests.campaign.crash.schedule import Played
from tests.campaign.crash.world import World
from tests.unit.worker.lives import SECRET, witnesses
from worker.mailbox import BELL

_SETTLED = (HostRunState.SUCCEEDED, HostRunState.UNKNOWN)
_SETTLED_CANCELLED = (*_SETTLED, HostRunState.CANCELLED)


def broken(world: World, played: Played) -> list[str]:
    """Return a sentence for each law that is broken."""
    if not played.settled:
        return ["it never came to an end"]
    report = world.host_run().read_report()
    if report is None and world.cancels:
        return [*_nothing_ran(world), *_answers(world), *_left_behind(world)]
    if report is None:
        return [f"unreported: the host run is {world.host_run().state}"]
    return [
        *_effects(world, report),
        *_outcome(world, played, report),
        *_letters(world),
        *_ledger(world),
        *_left_behind(world),
    ]


def _nothing_ran(world: World) -> Iterator[str]:
    """Hold an order that ended without a report to what its host signed: that it never began."""
    words = {letter.kind for letter in _stored(world)} & {Kind.RECEIPT, Kind.REFUSAL}
    if world.host_run().state is not HostRunState.CANCELLED or not words:
        yield f"unreported: the host run is {world.host_run().state}, its host said {words}"
    if (world.host.root / "witness").exists():
        yield "it ran, and its host says that it never began"
    with closing(sqlite3.connect(world.host.config.ledger)) as db:
        (kept,) = db.execute("SELECT count(*) FROM tombstones").fetchone()
        (begun,) = db.execute("SELECT count(*) FROM orders").fetchone()
    if kept != 1 or begun:
        yield f"the ledger has {kept} tombstones and {begun} orders"


def _answers(world: World) -> Iterator[str]:
    kinds = Counter(letter.kind for letter in _stored(world))
    for kind in (Kind.ORDER, Kind.CANCEL):
        if kinds[kind] != 1:
            yield f"the store has {kinds[kind]} letters of the kind {kind}"
    yield from _findings(world)


def _effects(world: World, report: Report) -> Iterator[str]:
    """Hold what was told against what really happened."""
    for each in report.passes:
        for step in each.steps:
            yield from _effect(world, f"{each.item}-{step.name}", step)


def _effect(world: World, name: str, step: StepReport) -> Iterator[str]:
    seen = witnesses(world.host, name)
    told = step.attempts if step.interrupted else 1
    if seen > told or (seen > 1 and name.endswith("second")):  # the second may not be run again
        yield f"repeated: {name} had {seen} effects, {told} were told"
    if (step.outcome == StepOutcome.CHANGED) != (world.host.root / name).exists():
        yield f"{name} is told {step.outcome}, which is not so"


def _outcome(world: World, played: Played, report: Report) -> Iterator[str]:
    host_run = world.host_run()
    allowed = _SETTLED_CANCELLED if world.cancels else _SETTLED
    if host_run.state != report.state or host_run.state not in allowed:
        yield f"the host run is {host_run.state}, its report says {report.state}"
    cut_off = any(point.role is Role.EXECUTOR for point in played.reached)
    if not cut_off and not world.cancels and report.outcome != StepOutcome.CHANGED:
        yield f"nobody cut the executor off, yet it came to {report.outcome}"


def _letters(world: World) -> Iterator[str]:
    kinds = Counter(letter.kind for letter in _stored(world))
    for kind in (Kind.ORDER, Kind.REPORT, Kind.ACKNOWLEDGEMENTS):
        if kinds[kind] != 1:
            yield f"the store has {kinds[kind]} letters of the kind {kind}"
    yield from _findings(world)


def _stored(world: World) -> Sequence[StoredEnvelope]:
    with world.store() as store:
        answers = store.envelopes.list(kinds=[Kind.ACKNOWLEDGEMENTS])
        return [*store.envelopes.list(run_id=world.run.run_id), *answers]


def _findings(world: World) -> Iterator[str]:
    with world.store() as store:
        findings = verify_all(store).findings
    yield from (f"the audit finds: {finding.problem}" for finding in findings)


def _ledger(world: World) -> Iterator[str]:
    with closing(sqlite3.connect(world.host.config.ledger)) as db:
        orders = db.execute("SELECT run_id, state FROM orders").fetchall()
        (waiting,) = db.execute("SELECT count(*) FROM outbox WHERE NOT acknowledged").fetchone()
        (reports,) = db.execute("SELECT reports FROM meta").fetchone()
    if orders != [(world.run.run_id, "ended")]:
        yield f"lost: the ledger's orders are {orders}"
    if waiting:
        yield "the report was never acknowledged"
    if reports != 1:
        yield f"the host made {reports} reports"


def _left_behind(world: World) -> Iterator[str]:
    for box in (world.host.inbox, world.host.outbox):
        left = sorted({path.name for path in box.directory.iterdir()} - {BELL})
        if left:
            yield f"left in {box.directory.name}: {', '.join(left)}"
    for path in _files(world.host.root.parent, world.home.path):
        if SECRET.encode() in path.read_bytes():
            yield f"a secret is left in {path}"


def _files(*directories: Path) -> Iterator[Path]:
    for directory in directories:
        yield from (path for path in directory.rglob("*") if path.is_file())
