"""What processes cost: memory by smaps_rollup, CPU by their clocks, ended children included."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

_MIB = 1024
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Memory of some processes together, in MiB."""

    pss: float  # each shared page divided among those that share it
    uss: float  # what nobody else has

    @classmethod
    def of(cls, pids: Iterable[int]) -> "Footprint":
        """Measure now."""
        found = [_rollup(pid) for pid in pids]
        return cls(
            sum(each["Pss"] for each in found) / _MIB,
            sum(each["Private_Clean"] + each["Private_Dirty"] for each in found) / _MIB,
        )


def _rollup(pid: int) -> dict[str, int]:
    """Return what /proc says of a process's memory, in KiB."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        fields[name.rstrip(":")] = int(value)
    return fields


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    process = psutil.Process(pid)
    return [process.pid, *(child.pid for child in process.children(recursive=True))]


def cpu_ms(pids: Iterable[int]) -> float:
    """Return the CPU time of processes and of their children that ended, in ms.

    In ticks of mostly 10 ms: for the difference over many host runs.
    """
    return sum(_ticks(pid) for pid in pids) * _TICK_MS


def _ticks(pid: int) -> int:
    # The name may hold spaces and parentheses; what comes after the last one does not.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime


def own_cpu_ms(pids: Iterable[int]) -> float:
    """Return the CPU time of the threads of processes, by the scheduler's own fine clock."""
    return sum(map(_scheduled_ns, pids)) / 1_000_000


def _scheduled_ns(pid: int) -> int:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def wake_ups(pids: Iterable[int]) -> int:
    """Return how often threads of processes gave the CPU back of their own accord, so far."""
    return sum(psutil.Process(pid).num_ctx_switches().voluntary for pid in pids)
