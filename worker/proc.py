"""What /proc tells about processes, read exactly and while they come and go."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """What /proc/<pid>/stat says, as far as it is needed."""

    pid: int
    name: str
    state: str
    parent: int
    threads: int
    start_ticks: int

    @property
    def is_alive(self) -> bool:
        """Tell a process from a zombie; one whose main thread ended may still have others."""
        return self.state not in ("Z", "X") or self.threads > 1


def parse_stat(line: bytes) -> ProcessStat:
    """Read the line of /proc/<pid>/stat; the name in it may hold spaces, `)` and newlines."""
    before, _, after = line.rpartition(b")")
    pid, _, name = before.partition(b" (")
    fields = after.split()  # the third field of proc_pid_stat(5) comes first here
    return ProcessStat(
        pid=int(pid),
        name=os.fsdecode(name),
        state=fields[0].decode(),
        parent=int(fields[1]),
        threads=int(fields[17]),
        start_ticks=int(fields[19]),
    )


def read_stat(pid: int) -> ProcessStat | None:
    """Return what is known of a process, or None when there is none."""
    line = _read(pid, "stat")
    return parse_stat(line) if line else None


def command_line(pid: int) -> str:
    """Return a process's arguments joined by spaces; empty for zombies and kernel threads."""
    return os.fsdecode(_read(pid, "cmdline").rstrip(b"\0").replace(b"\0", b" "))


def environment(pid: int) -> list[bytes]:
    """Return the `NAME=value` entries a process began with, as far as we may read them."""
    return _read(pid, "environ").split(b"\0")


def effective_user(pid: int) -> int | None:
    """Return the id of the user whose rights a process has."""
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[2])
    return None


def sockets(pid: int) -> Iterator[int]:
    """Give the inodes of the sockets that a process holds, as far as we may see them."""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if found := _SOCKET.fullmatch(str(entry.readlink())):
                    yield int(found[1])


def pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]


def processes() -> Iterator[ProcessStat]:
    """Give every process, without those that vanish while we look."""
    for pid in pids():
        if stat := read_stat(pid):
            yield stat


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def boot_clock() -> float:
    """Return the seconds since boot, the time asleep included; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def boot_id() -> str:
    """Return what names this boot; no process sees another one."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def boot_moment() -> datetime:
    """Return when the machine started, by today's wall clock; btime knows only whole seconds."""
    offset = time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return _EPOCH + timedelta(microseconds=offset // 1000)


def after_boot(start_ticks: int) -> timedelta:
    return timedelta(microseconds=start_ticks * 1_000_000 // _TICKS_PER_S)
