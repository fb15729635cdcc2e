"""The faults: each strikes a running fleet somewhere, and knows how it is healed."""

import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import psutil
import redis

from tests.campaign.faults.fleet import FRAIL, SERVER, FaultFleet
from tests.end_to_end.fleet_control import await_child
from tests.tunnel import Flow, Tunnel

Heal = Callable[[], None]
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Blow:
    """A fleet about to be struck, and the dice that say where."""

    fleet: FaultFleet
    random: Random

    def host(self) -> str:
        return self.random.choice(list(self.fleet.hosts))

    def tunnel(self) -> Tunnel:
        return self.random.choice(list(self.fleet.tunnels.values()))


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    strike: Callable[[Blow], Heal]
    needs: str = ""  # what a machine may not allow; see fault_fleet.LACKS
    is_slow: bool = False  # a dead connection is not noticed at once


def _nothing() -> None:
    """Nothing is left to heal."""


def _redis_killed(blow: Blow) -> Heal:
    blow.fleet.redis.kill()
    return blow.fleet.redis.start


def _redis_lost(blow: Blow) -> Heal:
    server = blow.fleet.redis
    server.kill()
    shutil.rmtree(server.directory / "appendonlydir")
    return server.start


def _redis_flushed(blow: Blow) -> Heal:
    with redis.Redis.from_url(blow.fleet.redis.url) as client:
        client.flushall()
    return _nothing


def _redis_restarted(blow: Blow) -> Heal:
    blow.fleet.redis.restart()
    return _nothing


def _redis_hung(blow: Blow) -> Heal:
    return _freeze(psutil.Process(blow.fleet.redis.pid))


def _reset(blow: Blow) -> Heal:
    blow.tunnel().reset()
    return _nothing


def _refused(blow: Blow) -> Heal:
    tunnel = blow.tunnel()
    tunnel.refuse()
    return tunnel.heal


def _partitioned(blow: Blow) -> Heal:
    tunnel = blow.tunnel()
    tunnel.partition()
    return tunnel.heal


def _lost(where: str, flow: Flow) -> Callable[[Blow], Heal]:
    def strike(blow: Blow) -> Heal:
        name = SERVER if where == SERVER else blow.host()
        blow.fleet.tunnels[name].lose(flow)
        return _nothing

    return strike


def _cable(pull: Callable[[FaultFleet], None]) -> Callable[[Blow], Heal]:
    def strike(blow: Blow) -> Heal:
        pull(blow.fleet)
        return blow.fleet.cable.mend

    return strike


def _freeze(process: psutil.Process) -> Heal:
    process.send_signal(signal.SIGSTOP)

    def thaw() -> None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)

    return thaw


def _frozen(role: str) -> Callable[[Blow], Heal]:
    return lambda blow: _freeze(_process(blow, role))


def _killed(role: str) -> Callable[[Blow], Heal]:
    def strike(blow: Blow) -> Heal:
        with suppress(psutil.NoSuchProcess):
            _process(blow, role).kill()
        return _nothing

    return strike


def _process(blow: Blow, role: str) -> psutil.Process:
    is_servers = role in ("dispatcher", "recorder")
    return await_child(blow.fleet, SERVER if is_servers else blow.host(), role)


def _executor_and_children(blow: Blow) -> Heal:
    executor = _process(blow, "executor")
    with suppress(psutil.NoSuchProcess):
        for process in (*executor.children(recursive=True), executor):
            process.kill()
    return _nothing


def _host_off(blow: Blow) -> Heal:
    name = blow.host()
    blow.fleet.kill_all(name)
    return lambda: blow.fleet.start_host(name)


def _server_off(blow: Blow) -> Heal:
    fleet = blow.fleet
    fleet.kill_all(SERVER)
    return lambda: fleet.start(SERVER, fleet.denrei, "server")


def _disk_full(blow: Blow) -> Heal:
    ballast = blow.fleet.disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            with suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return lambda: ballast.unlink(missing_ok=True)


def _disk_read_only(blow: Blow) -> Heal:
    """Let the host crash and come up with a disk that it may not write; no remount asks leave."""
    fleet = blow.fleet
    fleet.kill_all(FRAIL)
    fleet.remount("ro")
    fleet.start_host(FRAIL)
    return lambda: fleet.remount("rw")


def _clock(seconds: int) -> Callable[[Blow], Heal]:
    def strike(blow: Blow) -> Heal:
        blow.fleet.clock.step(seconds)
        return lambda: blow.fleet.clock.step(0)

    return strike


FAULTS: Mapping[str, Fault] = {
    "redis_killed": Fault(_redis_killed),
    "redis_lost": Fault(_redis_lost),
    "redis_flushed": Fault(_redis_flushed),
    "redis_restarted": Fault(_redis_restarted),
    "redis_hung": Fault(_redis_hung),
    "connections_reset": Fault(_reset),
    "connections_refused": Fault(_refused),
    "partitioned": Fault(_partitioned, is_slow=True),
    "host_connections_lost": Fault(_lost("host", Flow.NOTHING), is_slow=True),
    "host_answers_lost": Fault(_lost("host", Flow.REQUESTS), is_slow=True),
    "host_requests_lost": Fault(_lost("host", Flow.ANSWERS), is_slow=True),
    "server_connections_lost": Fault(_lost(SERVER, Flow.NOTHING), is_slow=True),
    "cable_pulled": Fault(_cable(lambda fleet: fleet.cable.pull()), "cable"),
    "cable_swallows": Fault(_cable(lambda fleet: fleet.cable.swallow()), "cable"),
    "cable_swallows_answers": Fault(_cable(lambda fleet: fleet.cable.swallow_answers()), "cable"),
    "courier_frozen": Fault(_frozen("courier")),
    "executor_frozen": Fault(_frozen("executor")),
    "dispatcher_frozen": Fault(_frozen("dispatcher")),
    "recorder_frozen": Fault(_frozen("recorder")),
    "courier_killed": Fault(_killed("courier")),
    "executor_killed": Fault(_killed("executor")),
    "dispatcher_killed": Fault(_killed("dispatcher")),
    "recorder_killed": Fault(_killed("recorder")),
    "executor_killed_with_children": Fault(_executor_and_children),
    "host_off": Fault(_host_off),
    "server_off": Fault(_server_off),
    "disk_full": Fault(_disk_full, "disk"),
    "disk_read_only": Fault(_disk_read_only, "disk"),
    "clock_forward": Fault(_clock(HOUR), "clock"),
    "clock_back": Fault(_clock(-HOUR), "clock"),
}
