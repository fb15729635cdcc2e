"""Processes as /proc shows them."""

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def state(pid: int) -> str | None:
    """Give the letter that `ps` shows (R, S, D, T, t, Z, ...), or None without such a process."""
    fields = _stat(pid)
    return fields[0] if fields else None


def alive(pid: int) -> bool:
    """Say whether the process exists and is more than a zombie."""
    return state(pid) not in (None, "Z", "X")


def start_ticks(pid: int) -> int | None:
    """Give the start in clock ticks since boot."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def started_at(pid: int) -> float | None:
    """Give the start in seconds since the epoch, through the boot clock of this moment."""
    ticks = start_ticks(pid)
    if ticks is None:
        return None
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / _TICKS


def command_line(pid: int) -> str:
    """Give the arguments, joined by spaces; a zombie or nobody has none."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.decode(errors="replace").replace("\0", " ").strip()


def with_argument(part: str) -> list[int]:
    """Find the processes whose command line contains `part`."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if part in command_line(pid)]


def read_pid(path: Path) -> int | None:
    """Read a pid file; None if it is missing or holds no pid."""
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        return None
    return pid if pid > 0 else None


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
