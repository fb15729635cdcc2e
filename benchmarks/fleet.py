"""A check over a whole fleet of simulated hosts, and how the cost grows with the hosts."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import redis

from benchmarks.bench import Bench
from benchmarks.cost import cpu_ms, tree
from benchmarks.figure import Found, NotMeasuredError, figure
from benchmarks.simulated.crew import PROCESSES, Crew
from benchmarks.simulated.house import House
from benchmarks.store_watch import StoreWatch
from lab.command import Script
from lab.redis import EmbeddedRedis
from orchestrator.store.store import Store

SMALL, LARGE = 1_000, 10_000
BETWEEN = (100, 3_000)  # for the picture of how it grows
_QUICK_PATIENCE_S, _PATIENCE_S = 60.0, 600.0
_HOW = (
    f"`denrei submit check --all --detach` on simulated hosts in {PROCESSES} processes, from Enter "
    "to the last report in the store; real: server, Redis, a connection and a BRPOP for each host, "
    "gate, policy, signatures, repeats until acknowledged; simulated: steps and ledger"
)


@dataclass(frozen=True)
class Trial:
    """What one check over the fleet took."""

    seconds: float
    server_cpu_ms: float  # dispatcher, recorder and Redis
    crew_cpu_ms: float
    stored: float  # bytes that the store grew by


def measure(bench: Bench) -> Iterator[Found]:
    """Yield the time for ten thousand hosts, and by how much more than ten times it is of 1,000."""
    small = _trials(bench, SMALL, bench.choose(1, 5))
    yield figure("fleet_1000_s", "s", [trial.seconds for trial in small], _HOW)
    for count in () if bench.quick else BETWEEN:
        seconds = [trial.seconds for trial in _trials(bench, count, 3)]
        yield figure(f"fleet_{count}_s", "s", seconds, _HOW)
    tenth = median(trial.seconds for trial in small) * LARGE / SMALL
    if bench.quick and tenth > _QUICK_PATIENCE_S:
        raise NotMeasuredError(f"--quick has no {tenth:.0f} s for it; see fleet_1000_s")
    large = _trials(bench, LARGE, bench.choose(1, 2))
    seconds = [trial.seconds for trial in large]
    yield figure("fleet_10000_s", "s", seconds, _HOW)
    each = [trial.server_cpu_ms / LARGE for trial in large]
    how = "dispatcher, recorder and Redis, for one of 10,000 host runs"
    yield figure("server_cpu_ms_per_host_run_10000", "ms", each, how)
    each = [trial.stored / LARGE / 1024 for trial in large]
    how = "growth of the SQLite file for one host run of `check`: order, receipt, report, answer"
    yield figure("store_kib_per_host_run", "KiB", each, how)
    each = [trial.crew_cpu_ms / LARGE for trial in large]
    yield figure("simulated_host_cpu_ms", "ms", each, "what playing one host run cost beside it")
    how = "the time for 10,000 hosts by ten times that for 1,000; 1 is linear"
    yield figure("growth_1000_to_10000", "x", [each / tenth for each in seconds], how)


def _trials(bench: Bench, count: int, repeats: int) -> list[Trial]:
    patience = _QUICK_PATIENCE_S if bench.quick else _PATIENCE_S
    directory = bench.directory / str(count)
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedRedis(directory / "redis"))
        _allow_connections(server, count)
        house = House.build(directory / "home", server.url, count)
        crew = stack.enter_context(Crew(server.port, house.hosts))
        denrei = Script("denrei", {"DENREI_HOME": str(house.home.path)})
        service = denrei.start(directory / "server.log", "server")
        stack.callback(service.stop)
        _await_services(house)
        bench.say(f"{count:,} simulated hosts listen")
        pids = [server.pid or os.getpid(), service.process.pid]
        watch = stack.enter_context(StoreWatch(house.home.path / "store.db"))
        return [_check(denrei, watch, pids, crew, patience) for _ in range(repeats)]
    raise AssertionError  # the stack lets nothing pass in silence


def _check(
    denrei: Script, watch: StoreWatch, pids: list[int], crew: Crew, patience: float
) -> Trial:
    server, played, begun = _cpu_ms(pids), cpu_ms(crew.pids), time.perf_counter()
    size = watch.size
    denrei.must("submit", "check", "--all", "--detach")
    ended = watch.await_reports(watch.newest_run(), patience, look_s=0.05)
    return Trial(
        ended - begun, _cpu_ms(pids) - server, cpu_ms(crew.pids) - played, watch.size - size
    )


def _cpu_ms(pids: list[int]) -> float:
    """Return what processes and all below them cost, also those that were started meanwhile."""
    return sum(cpu_ms(tree(pid)) for pid in pids)


def _allow_connections(server: EmbeddedRedis, count: int) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxclients", count + 1000)


def _await_services(house: House) -> None:
    with house.home.open_store() as store:
        deadline = time.monotonic() + 60
        while len(_beating(store)) < 2 and time.monotonic() < deadline:  # noqa: PLR2004
            time.sleep(0.1)


def _beating(store: Store) -> list[str]:
    return [service.name for service in store.services.all() if not service.detail]
