"""Real hosts at work: one order there and back, twenty at once, and what each host run costs."""

import time
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.figure import Found, figure
from benchmarks.real_fleet import RealFleet, cpu_per_host_run, working

HOSTS = 20


def measure(bench: Bench) -> Iterator[Found]:
    """Yield the round trip of one order, and throughput and cost of many."""
    names = [f"web{number}" for number in range(HOSTS)]
    with working(bench.directory, names) as (fleet, desk):
        bench.say(f"{HOSTS} hosts are at work")
        rates = [HOSTS / desk.run() for _ in range(bench.choose(5, 20))]
        how = "20 real hosts, one order of three steps for each, until the last report is stored"
        yield figure("host_runs_per_s_20", "/s", rates, how)
        costs = [cpu_per_host_run(fleet, desk, 2) for _ in range(bench.choose(2, 10))]
        how = "all of our processes: dispatcher, Redis, couriers, executors, recorder"
        yield figure("cpu_ms_per_host_run", "ms", costs, how)
        repeats = bench.choose(20, 100)
        times = [desk.run(names[:1]) * 1000 for _ in range(repeats)]
        how = "one host, three steps that act: submitted in a warm process, report in the store"
        yield figure("round_trip_ms_p50", "ms", times, how)
        times = [desk.run_again(names[:1]) * 1000 for _ in range(repeats)]
        how = "the same three steps when all of them hold already"
        yield figure("round_trip_unchanged_ms_p50", "ms", times, how)
        yield from _commands(bench, fleet)


def _commands(bench: Bench, fleet: RealFleet) -> Iterator[Found]:
    times = []
    for _ in range(bench.choose(3, 10)):
        begun = time.perf_counter()
        fleet.denrei.must("host", "ping", "web1")
        times.append((time.perf_counter() - begun) * 1000)
    how = "the command `denrei host ping`, from Enter to its end"
    yield figure("ping_command_ms_p50", "ms", times, how)
