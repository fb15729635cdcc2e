"""Real faults on real processes: broker, wires, disks, clocks and every process of ours."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.campaign.campaign import Scale, Tally
from tests.campaign.fault import FAULTS, Fault
from tests.campaign.fault_fleet import FaultFleet
from tests.campaign.ground import Ground
from tests.campaign.trial import Trial

RUNS = {Scale.SMOKE: 3, Scale.QUICK: 8, Scale.FULL: 210}
SLOW_EVERY = 3  # rounds; a slow fault takes most of a minute
_ALWAYS = ("host_connections_lost",)  # the silent stall is in every campaign


def campaign(scale: Scale, seed: int) -> Tally:
    """Strike a fleet again and again; it stays the same fleet, as in life."""
    with tempfile.TemporaryDirectory(prefix="denrei-faults-") as directory:
        fleet = FaultFleet(Path(directory))
        with fleet:
            fleet.await_workers()
            return _strike(fleet, scale, seed)


def _strike(fleet: FaultFleet, scale: Scale, seed: int) -> Tally:
    left_out = sorted(name for name, fault in FAULTS.items() if not _possible(fault, fleet))
    for name in left_out:
        lack = fleet.lacks[FAULTS[name].needs]
        print(f"  {name} is left out: this machine lacks {lack}", file=sys.stderr)
    violations: list[str] = []
    names = list(_choose(fleet, scale, seed))
    with Ground.of(fleet) as ground:
        for number, name in enumerate(names):
            violations += run_one(fleet, ground, name, f"{seed}-{number}")
    done = fleet.denrei.run("audit", "verify")
    if done.code != 0:
        violations.append(f"denrei audit verify exits {done.code}: {done.err.strip()[:300]}")
    counts = {"fault_runs": len(names), "fault_kinds_left_out": len(left_out)}
    return Tally(counts, tuple(violations))


def run_one(fleet: FaultFleet, ground: Ground, name: str, seed: str) -> list[str]:
    """Make one trial and say how it went."""
    begun = time.monotonic()
    dice = Random(f"{seed}-{name}")  # noqa: S311 - a replay needs the same dice
    broken = Trial(fleet, ground, FAULTS[name], dice).run()
    took = time.monotonic() - begun
    print(f"  {name} (seed {seed}): {took:.1f} s, {len(broken)} violations", file=sys.stderr)
    return [f"{name} (seed {seed}): {sentence}" for sentence in broken]


def _possible(fault: Fault, fleet: FaultFleet) -> bool:
    return not fault.needs or fleet.has(fault.needs)


def _choose(fleet: FaultFleet, scale: Scale, seed: int) -> Iterator[str]:
    """Yield the kinds of fault in rounds, each round in an order of its own."""
    dice = Random(seed)  # noqa: S311 - a replay needs the same dice
    wanted = RUNS[scale]
    possible = [name for name, fault in FAULTS.items() if _possible(fault, fleet)]
    yield from _ALWAYS
    wanted -= len(_ALWAYS)
    for turn in range(wanted):
        kinds = [name for name in possible if turn % SLOW_EVERY == 2 or not FAULTS[name].is_slow]
        dice.shuffle(kinds)
        yield from kinds[:wanted]
        wanted -= len(kinds)
        if wanted <= 0:
            return
