"""What a host costs that waits: memory, CPU, and what it asks of Redis."""

import subprocess
import time
from collections.abc import Iterator, Sequence

import redis

from benchmarks.bench import Bench
from benchmarks.cost import Footprint, own_cpu_ms, tree, wake_ups
from benchmarks.equipment import host_environment
from benchmarks.figure import Figure, Found, Missing, figure
from benchmarks.real_fleet import RealFleet, working
from worker.exit_code import EXIT_ASLEEP

_ASLEEP_WITHIN_S = 60.0
_QUIET_S = 120.0
_IDLE = "one idle host, courier and executor; the server is stopped: it would ask once a minute"


def measure(bench: Bench) -> Iterator[Found]:
    """Yield memory, then what a host does while there is nothing to do."""
    worker = host_environment() / "bin/denrei-worker"
    with working(bench.directory, ["web1"], str(worker)) as (fleet, desk):
        for _ in range(5):
            desk.run()
        fleet.services["server"].stop()  # what it asks of Redis is not the host's
        yield from _memory(bench, fleet)
        yield from _idle(bench, fleet)
        yield _asleep(fleet)
        if not bench.quick:
            yield from _quiet(fleet)


def _memory(bench: Bench, fleet: RealFleet) -> Iterator[Figure]:
    at_work = Footprint.of(pid for root in fleet.pids_of("web1") for pid in tree(root))
    how = "with the keeper that stands by when runs with commands follow each other"
    yield figure("host_at_work_pss_mib", "MiB", [at_work.pss], how)
    fleet.await_rest("web1")
    found = [Footprint.of(fleet.pids_of("web1")) for _ in range(bench.choose(3, 5))]
    how = "courier and executor of one host, installed as on a host, together, after some runs"
    yield figure("host_pss_mib", "MiB", [each.pss for each in found], how)
    yield figure("host_uss_mib", "MiB", [each.uss for each in found], how)
    for name, pid in zip(("courier", "executor"), fleet.pids_of("web1"), strict=True):
        yield figure(f"{name}_uss_mib", "MiB", [Footprint.of([pid]).uss], f"the {name} alone")


def _asleep(fleet: RealFleet) -> Found:
    """Measure the courier after the executor has ended for want of work, as systemd lets it."""
    fleet.services["web1 executor"].stop()
    fleet.configure("web1", "worker.yaml", "sleep_after: 10s")
    fleet.start_role("web1", "executor")
    try:
        code = fleet.services["web1 executor"].process.wait(_ASLEEP_WITHIN_S)
    except subprocess.TimeoutExpired:
        return Missing("host_idle_uss_mib", f"no sleep within {_ASLEEP_WITHIN_S:.0f} s")
    if code != EXIT_ASLEEP:
        return Missing("host_idle_uss_mib", f"the executor ended with {code}")
    courier = fleet.services["web1 courier"].process.pid
    how = "the courier alone; the executor has ended, and systemd would start it for a letter"
    return figure("host_idle_uss_mib", "MiB", [Footprint.of([courier]).uss], how)


def _quiet(fleet: RealFleet) -> Iterator[Figure]:
    """Measure a courier that seldom sends itself a word: the executor asks Redis for nothing."""
    fleet.services["web1 courier"].stop()
    fleet.configure("web1", "courier/courier.yaml", "keepalive: 60s")
    fleet.start_role("web1", "courier")
    with redis.Redis.from_url(fleet.redis.url) as client:
        time.sleep(_QUIET_S / 2)  # it has started, and sent its first word
        before = _look(client, [])
        time.sleep(_QUIET_S)
        asked = _difference(before, _look(client, []))[1] - 1  # our own question
    how = f"with `keepalive: 60s`, over {_QUIET_S:.0f} s"
    yield figure("quiet_redis_commands_per_s", "/s", [asked / _QUIET_S], how)


def _idle(bench: Bench, fleet: RealFleet) -> Iterator[Figure]:
    pids = fleet.pids_of("web1")
    busy, commands, woken, traffic = [], [], [], []
    connections: list[float] = []
    seconds = bench.choose(16, 30)  # its word to itself goes out every 15
    with redis.Redis.from_url(fleet.redis.url) as client:
        time.sleep(2)  # the last run's words are over
        for _ in range(bench.choose(1, 3)):
            ours = _difference(_look(client, pids), _look(client, pids))  # what asking costs
            before = _look(client, pids)
            time.sleep(seconds)
            spent = _difference(ours, _difference(before, _look(client, pids)))
            busy.append(spent[0] / seconds / 10)  # ms/s, in per cent
            commands.append(spent[1] / seconds)
            woken.append(spent[2] / seconds)
            traffic.append(spent[3] / seconds)
            connections.append(client.info("clients")["connected_clients"] - 1)  # ours
    yield figure("idle_cpu_pct", "%", busy, _IDLE)
    yield figure("idle_redis_commands_per_s", "/s", commands, _IDLE)
    yield figure("idle_wake_ups_per_s", "/s", woken, _IDLE)
    yield figure("idle_bytes_per_s", "B/s", traffic, _IDLE)
    yield figure("redis_connections_per_host", "", connections, _IDLE)


def _look(client: redis.Redis, pids: list[int]) -> tuple[float, float, float, float]:
    """Return CPU ms, Redis commands, wake-ups and bytes so far."""
    stats = client.info("stats")
    moved = stats["total_net_input_bytes"] + stats["total_net_output_bytes"]
    return own_cpu_ms(pids), stats["total_commands_processed"], wake_ups(pids), moved


def _difference(before: Sequence[float], after: Sequence[float]) -> list[float]:
    return [b - a for a, b in zip(before, after, strict=True)]
