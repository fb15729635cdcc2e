"""Denrei, Salt and Ansible in turns, on the same three steps: medians and ratios of one run."""

import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.cost import Footprint, own_cpu_ms
from benchmarks.equipment import host_environment
from benchmarks.figure import Missing, NotMeasuredError
from benchmarks.peer import side as sides
from benchmarks.peer.ansible import Ansible
from benchmarks.peer.salt import Salt
from benchmarks.peer.side import Side
from benchmarks.real_fleet import working
from benchmarks.result import Result

HOSTS = 20
_AT_WORK_S = 5.0
_IN_A_ROW = 5
_SETTLE_S = 1.0  # what goes on after the last answer is part of the cost


def compare(result: Result, *, quick: bool) -> None:
    """Measure all of them side by side; what can't be installed is told as not measured."""
    print("peers:", file=sys.stderr)
    names = [f"web{number}" for number in range(HOSTS)]
    with tempfile.TemporaryDirectory(prefix="dnr-") as directory, ExitStack() as stack:
        bench = Bench(Path(directory), quick=quick)
        worker = host_environment() / "bin/denrei-worker"
        made = working(bench.directory / "denrei", names, str(worker))
        fleet, desk = stack.enter_context(made)
        found = [sides.denrei(fleet, desk)]
        number = partial(next, count(1))
        try:
            salt = stack.enter_context(Salt(bench.directory / "salt", names))
            found.append(sides.salt(salt, number))
        except NotMeasuredError as error:
            result.add(Missing("salt", str(error)))
        try:
            ansible = stack.enter_context(Ansible(bench.directory / "ansible", names))
            found.append(sides.ansible(ansible, number))
        except NotMeasuredError as error:
            result.add(Missing("ansible", str(error)))
        bench.say(f"at work: {', '.join(side.name for side in found)}")
        _take_turns(bench, found, names)
    result.compared = {side.name: side.figures() for side in found}


def _take_turns(bench: Bench, found: list[Side], names: list[str]) -> None:
    for side in found:
        side.run(names)  # the first time compiles, connects and caches
    for number in range(bench.choose(3, 10)):
        for side in found:
            _one(side, names[0])
        bench.say(f"round {number + 1}: one host")
    for number in range(bench.choose(2, 4)):
        for side in found:
            _many(side, names)
        bench.say(f"round {number + 1}: {len(names)} hosts")
    waiting = [side for side in found if side.host]
    for side in waiting:
        _footprint(side, names[0])
    _idle(waiting, names[0], bench.choose(10, 60))


def _one(side: Side, name: str) -> None:
    """Ask one host: after a pause, as the others had their turns, and then some times in a row."""
    if side.ping:
        for _ in range(_IN_A_ROW):
            side.note("ping_ms_p50", side.ping(name) * 1000)
    side.note("round_trip_after_a_pause_ms_p50", side.run([name]) * 1000)
    until = time.monotonic() + _AT_WORK_S
    for _ in range(_IN_A_ROW):
        side.note("round_trip_ms_p50", side.run([name]) * 1000)
        if time.monotonic() > until:
            break


def _many(side: Side, names: list[str]) -> None:
    """Run again and again for some seconds, or once where that takes longer."""
    before, took, runs = side.spent(), 0.0, 0
    while took < _AT_WORK_S:
        took += side.run(names)
        runs += len(names)
    side.note("host_runs_per_s_20", runs / took)
    time.sleep(_SETTLE_S)
    side.note("cpu_ms_per_host_run", (side.spent() - before) / runs)


def _footprint(side: Side, name: str) -> None:
    assert side.host  # noqa: S101 - those without it were left out
    found = Footprint.of(side.host(name))
    side.note("host_pss_mib", found.pss)
    side.note("host_uss_mib", found.uss)


def _idle(waiting: list[Side], name: str, seconds: int) -> None:
    pids = {side.name: side.host(name) for side in waiting if side.host}
    before = {who: own_cpu_ms(found) for who, found in pids.items()}
    time.sleep(seconds)
    for side in waiting:
        spent_ms = own_cpu_ms(pids[side.name]) - before[side.name]
        side.note("idle_cpu_pct", spent_ms / seconds / 10)
