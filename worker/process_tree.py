"""Everything that a process has started, found and ended."""

import os
import signal
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from worker import proc
from worker.cgroup import Cgroup
from worker.proc import ProcessStat
from worker.service import set_free
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


@dataclass(frozen=True, slots=True)
class ProcessTree:
    """What a keeper is answerable for: all below it, and all in its command's group.

    Only together do they hold everything. A fork is never quicker than its group's end; and what
    a privileged command moves into another group is still below the keeper. The keeper was born in
    the group, too, and is not counted; it steps out before the group is ended or handed over.
    """

    group: Cgroup | None

    def pids(self) -> list[int]:
        """Return what lives, parents first, without the keeper itself.

        A shell whose child is ended before it would carry on with its next command.
        """
        below = [stat.pid for stat in descendants(os.getpid())]
        return list(dict.fromkeys([*below, *self._members()]))

    def signal(self, number: signal.Signals) -> set[int]:
        """Send a signal to all, and return to whom."""
        found = self.pids()
        if self.group and number is signal.SIGKILL and self._step_out():
            self.group.kill()
        for pid in found:
            send(pid, number)
        return set(found)

    def has_members(self) -> bool:
        """Tell whether anybody but the keeper lives in the group."""
        return bool(self._members())

    def set_free(self) -> str:
        """Let a service go that was left in the group; tell why it is not as free as wished."""
        if self.group is None or not self.has_members():
            return ""
        return set_free(self.group) if self._step_out() else "the keeper can't leave its group"

    def leave(self) -> None:
        """Step out of the group and remove it."""
        if self.group and self._step_out():
            self.group.remove()

    def _members(self) -> list[int]:
        own = os.getpid()
        return [pid for pid in self.group.members() if pid != own] if self.group else []

    def _step_out(self) -> bool:
        """Move the keeper to where its executor is; tell whether it is out of the group."""
        assert self.group is not None  # noqa: S101 - the callers have looked
        if os.getpid() not in self.group.members():
            return True
        with suppress(OSError):
            self.group.above.take(0)
            return True
        return False


def marked(marker: str) -> list[int]:
    """Return the living processes that a step started and that still show it.

    A mark without its last parts stands for all attempts at a step.
    """
    entry = f"{MARKER}={marker}:".encode()
    return [
        stat.pid
        for stat in proc.processes()
        if stat.is_alive
        and stat.pid != os.getpid()
        and any((each + b":").startswith(entry) for each in proc.environment(stat.pid))
    ]


def sweep(marker: str, group: Cgroup | None = None) -> int:
    """Kill whatever a step left behind, and return how many processes that were.

    For recovery after the keeper itself was killed: then nobody watches the tree, and only the
    step's group, if there was one, and the marker in the environment still tell whose it is. A
    service that outlived a normal exit bears the mark too, so call this only for a step whose
    command may leave none, or had not exited.
    """
    killed = _kill_group(group) if group else set()
    until = proc.boot_clock() + _SWEEP_S
    while marker and proc.boot_clock() < until and (found := marked(marker)):
        killed.update(found)
        for pid in found:
            send(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)
    return len(killed)


def release(group: Cgroup) -> None:
    """Let go of a service whose starter had exited when its keeper was killed."""
    set_free(group)
    group.remove()


def _kill_group(group: Cgroup) -> set[int]:
    killed: set[int] = set()
    until = proc.boot_clock() + _SWEEP_S
    while group.is_populated and proc.boot_clock() < until:
        killed.update(group.members())
        group.kill()
        time.sleep(_PAUSE_S)
    group.remove()
    return killed
