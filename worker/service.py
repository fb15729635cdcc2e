"""What a `leaves_daemon` command left: moved to where the executor's end does not reach it.

systemd ends all that is in a unit's control group, so a service gets a scope of its own there.
Elsewhere nobody does, and it goes into the executor's own group.
"""

import subprocess
import time
from contextlib import suppress
from pathlib import Path

from worker.cgroup import Cgroup
from worker.proc import boot_clock

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_PATIENCE_S = 5.0
_PAUSE_S = 0.01
_MANAGER = (
    *("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
    "org.freedesktop.systemd1.Manager",
)
_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def set_free(group: Cgroup) -> str:
    """Move all that lives in a step's group out of it; tell why it is not as free as wished."""
    if not group.is_populated:
        return ""
    problem = _into_a_scope(group) if _BOOTED.is_dir() else ""
    until = boot_clock() + _PATIENCE_S
    while (pids := group.members()) and boot_clock() < until:  # it may fork meanwhile
        for pid in pids:
            with suppress(OSError):  # gone already
                group.above.take(pid)
    return problem


def _into_a_scope(group: Cgroup) -> str:
    """Ask systemd for a scope; tell why there is none, and move nothing then."""
    unit, problem, is_there = f"{group.path.name}-{time.time_ns():x}.scope", "", False
    until = boot_clock() + _PATIENCE_S
    while (pids := group.members()) and boot_clock() < until:
        problem = _ask(_attach(unit, pids) if is_there else _start(unit, pids))
        is_there = is_there or not problem
        if problem and set(pids) <= set(group.members()):  # not for one that was gone meanwhile
            return problem
        _await_leaving(group, set(pids), until)
    return problem if group.is_populated else ""


def _await_leaving(group: Cgroup, pids: set[int], until: float) -> None:
    while pids & set(group.members()) and boot_clock() < until:
        time.sleep(_PAUSE_S)


def _start(unit: str, pids: list[int]) -> list[str]:
    properties = [
        *("Description", "s", "a service that a Denrei step left"),
        *("CollectMode", "s", "inactive-or-failed"),
        *("PIDs", "au", str(len(pids)), *map(str, pids)),
    ]
    return ["StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", "3", *properties, "0"]


def _attach(unit: str, pids: list[int]) -> list[str]:
    return ["AttachProcessesToUnit", "ssau", unit, "", str(len(pids)), *map(str, pids)]


def _ask(request: list[str]) -> str:
    """Ask systemd over D-Bus, and return what it objects to."""
    try:
        subprocess.run(
            [*_MANAGER, *request],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE_S,
            env=_PATH,
        )
    except subprocess.CalledProcessError as error:
        return f"systemd gave it no scope: {error.stderr.decode(errors='replace').strip()}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd gave it no scope: {error}"
    return ""
