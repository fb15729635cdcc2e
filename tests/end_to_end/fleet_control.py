"""Hands on a running fleet: fresh agents, workers and servers stopped, killed and started."""

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from lab.fleet import Fleet, FleetHost
from lab.host import LabHost
from tests.waiting import eventually


def reset_host(fleet: Fleet, name: str) -> FleetHost:
    """Give a host a root directory as new; its worker goes on over it."""
    host = fleet.hosts[name]
    host.agent.stop()
    shutil.rmtree(host.agent.root)
    host.agent = LabHost(host.directory / "root", name, fleet.cloud)
    return host


def start_server(fleet: Fleet, *arguments: str) -> None:
    fleet.start("server", fleet.denrei, "server", *arguments)


def stop(fleet: Fleet, name: str) -> None:
    """Stop a worker (by its host's name) or the `server`, as a service manager would."""
    fleet.services[name].stop()


def child(fleet: Fleet, name: str, role: str) -> psutil.Process | None:
    """Find the executor or courier that a worker's supervisor runs now."""
    supervisor = psutil.Process(fleet.services[name].process.pid)
    for process in supervisor.children():
        try:
            if process.cmdline()[-1:] == [role]:
                return process
        except psutil.NoSuchProcess:
            continue
    return None


def await_child(fleet: Fleet, name: str, role: str) -> psutil.Process:
    found = eventually(lambda: child(fleet, name, role), within=30, what=f"the {role} of {name}")
    assert found is not None
    return found


def kill(process: psutil.Process) -> None:
    """Kill as the kernel's out-of-memory killer does; it may just have ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


def command_lines(part: str) -> list[list[str]]:
    """Return the command lines of all processes that have `part` in them."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any(part in word for word in words):
            found.append(words)
    return found


def count_said(log: Path, event: str, *parts: str) -> int:
    """Return how many lines of a JSON log are of this event and have all of these parts."""
    lines = log.read_text(errors="replace").splitlines()
    wanted = (f'"event": "{event}"', *parts)
    return sum(all(part in line for part in wanted) for line in lines)
