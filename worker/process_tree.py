"""Everything that a process has started, found and ended."""

import os
import signal
import time
from collections import defaultdict
from contextlib import suppress

from worker import proc
from worker.proc import ProcessStat
from worker.spawn import MARKER

_PAUSE_S = 0.01
_SWEEP_S = 5.0  # what KILL does not end in this time, nobody ends


def descendants(ancestor: int) -> list[ProcessStat]:
    """Return what lives below a process, parents first.

    One pass over /proc is not a snapshot: who changes parents meanwhile can be missed, so signal
    again until nothing is left.
    """
    children: dict[int, list[ProcessStat]] = defaultdict(list)
    for stat in proc.processes():
        children[stat.parent].append(stat)
    found, waiting = [], [ancestor]
    while waiting:
        below = children.pop(waiting.pop(0), [])
        found += [stat for stat in below if stat.is_alive]
        waiting += [stat.pid for stat in below]
    return found


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone, or not ours to end."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def marked(marker: str) -> list[int]:
    """Return the living processes that a step started and that still show it."""
    entry = f"{MARKER}={marker}".encode()
    return [
        stat.pid
        for stat in proc.processes()
        if stat.is_alive and stat.pid != os.getpid() and entry in proc.environment(stat.pid)
    ]


def sweep(marker: str) -> int:
    """Kill whatever a step left behind, and return how many processes that were.

    For recovery after the keeper itself was killed: then nobody watches the tree, and the marker
    in the environment is all that still tells whose it is. A service that outlived a normal exit
    bears the mark too, so call this only when the keeper did not finish.
    """
    killed: set[int] = set()
    until = proc.boot_clock() + _SWEEP_S
    while marker and proc.boot_clock() < until and (found := marked(marker)):
        killed.update(found)
        for pid in found:
            send(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)
    return len(killed)
