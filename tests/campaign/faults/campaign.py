"""Real faults on real processes: broker, wires, disks, clocks and every process of ours."""

import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from random import Random

from tests.campaign.campaign import Scale, Tally
from tests.campaign.faults.fault import FAULTS, Fault
from tests.campaign.faults.fleet import FaultFleet
from tests.campaign.faults.ground import Ground
from tests.campaign.faults.stall import HEALS_ITSELF, NOTICED_WITHIN_S, ROLES, stall
from tests.campaign.faults.trial import Trial

RUNS = {Scale.SMOKE: 3, Scale.QUICK: 10, Scale.FULL: 200}  # and a stall of each role
SLOW_EVERY = 3  # rounds


def faults(scale: Scale, seed: int) -> Tally:
    """Strike a fleet again and again; it stays the same fleet, as in life."""
    with tempfile.TemporaryDirectory(prefix="denrei-faults-") as directory:
        with FaultFleet(Path(directory, "fleet")) as fleet:
            fleet.await_workers()
            struck = _strike(fleet, scale, seed)
        with ThreadPoolExecutor() as side_by_side:  # each of them only waits, for most of a minute
            broken = list(side_by_side.map(lambda role: _stall(role, Path(directory)), ROLES))
    counts = {**struck.counts, "fault_runs": struck.counts["fault_runs"] + len(ROLES)}
    return Tally(counts, (*struck.violations, *chain.from_iterable(broken)))


def _stall(role: str, directory: Path) -> list[str]:
    """Let a consumer stall silently, at the periods that it is shipped with."""
    try:
        stalled = stall(role, directory / role, {})
    except AssertionError as error:
        return [f"stall of the {role}: {error}"]
    print(f"  stall of the {role}: noticed after {stalled.noticed_s:.1f} s", file=sys.stderr)
    rules = {
        f"is noticed after {stalled.noticed_s:.0f} s": stalled.noticed_s > NOTICED_WITHIN_S,
        "can't be reproduced: it serves without self-ping, too": stalled.twin_serves
        and role not in HEALS_ITSELF,
    }
    return [f"stall of the {role} {sentence}" for sentence, broken in rules.items() if broken]


def _strike(fleet: FaultFleet, scale: Scale, seed: int) -> Tally:
    left_out = sorted(name for name, fault in FAULTS.items() if not _possible(fault, fleet))
    for name in left_out:
        lack = fleet.lacks[FAULTS[name].needs]
        print(f"  {name} is left out: this machine lacks {lack}", file=sys.stderr)
    violations: list[str] = []
    names = list(_choose(left_out, scale, seed))
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
    dice = Random(f"{seed}-{name}")
    try:
        broken = Trial(fleet, ground, FAULTS[name], dice).run()
    except AssertionError as error:
        broken = [str(error)]
    took = time.monotonic() - begun
    print(f"  {name} (seed {seed}): {took:.1f} s, {len(broken)} violations", file=sys.stderr)
    return [f"{name} (seed {seed}): {sentence}" for sentence in broken]


def _possible(fault: Fault, fleet: FaultFleet) -> bool:
    return not fault.needs or fleet.has(fault.needs)


def _choose(left_out: Collection[str], scale: Scale, seed: int) -> Iterator[str]:
    """Yield the kinds of fault in rounds, each round in an order of its own."""
    dice = Random(seed)
    wanted = RUNS[scale]
    possible = [name for name in FAULTS if name not in left_out]
    for turn in range(wanted):
        kinds = [name for name in possible if turn % SLOW_EVERY == 2 or not FAULTS[name].is_slow]
        dice.shuffle(kinds)
        yield from kinds[:wanted]
        wanted -= len(kinds)
        if wanted <= 0:
            return
