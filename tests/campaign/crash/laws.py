"""What must hold after any schedule: nothing lost, nothing repeated, nothing unreported."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from contract.outcome import HostRunState, StepOutcome
from contract.report import Report, StepReport
from orchestrator.audit import verify_all
from orchestrator.store.record import Kind
from tests.campaign.crash.point import Role
from tests.campaign.crash.schedule import Played
from tests.campaign.crash.world import World
from tests.unit.worker.lives import SECRET, witnesses
from worker.mailbox import BELL

_SETTLED = (HostRunState.SUCCEEDED, HostRunState.UNKNOWN)


def broken(world: World, played: Played) -> list[str]:
    """Return a sentence for each law that is broken."""
    if not played.settled:
        return ["it never came to an end"]
    report = world.host_run().read_report()
    if report is None:
        return [f"unreported: the host run is {world.host_run().state}"]
    return [
        *_effects(world, report),
        *_outcome(world, played, report),
        *_letters(world),
        *_ledger(world),
        *_left_behind(world),
    ]


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
    if host_run.state != report.state or host_run.state not in _SETTLED:
        yield f"the host run is {host_run.state}, its report says {report.state}"
    cut_off = any(point.role is Role.EXECUTOR for point in played.reached)
    if not cut_off and report.outcome != StepOutcome.CHANGED:
        yield f"nobody cut the executor off, yet it came to {report.outcome}"


def _letters(world: World) -> Iterator[str]:
    with world.store() as store:
        letters = store.envelopes.list(run_id=world.run.run_id)
        findings = verify_all(store, world.home.load_trust()).findings
    kinds = [letter.kind for letter in letters]
    for kind in (Kind.ORDER, Kind.REPORT, Kind.ACKNOWLEDGEMENT):
        if kinds.count(kind) != 1:
            yield f"the store has {kinds.count(kind)} letters of the kind {kind}"
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
