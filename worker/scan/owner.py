"""The processes behind sockets and configurations, and the systemd units that they belong to."""

import os
from dataclasses import dataclass
from pathlib import Path

from worker import proc
from worker.root import Root

_PROC = Path("/proc")
_INIT = 1  # it may only hold a socket until the service is first asked
_HIERARCHIES = ("0", "name=systemd")  # those in which systemd keeps its units


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """A running process that listens, or that a daemon's configuration belongs to."""

    start_ticks: int
    pid: int
    program: str  # as the kernel names it: at most 15 characters
    unit: str  # the system's unit; empty if it is in none
    command_line: str
    is_contained: bool = False  # in a container, whose files are not this host's
    directory: str = ""  # where it works now; empty if it sees other files, or we may not know

    @property
    def service(self) -> str:
        return self.unit or self.program


@dataclass(frozen=True, slots=True)
class Owners:
    """Who holds which socket, as far as we may see it, and all that runs."""

    by_inode: dict[int, Owner]
    running: list[Owner]
    our_own: frozenset[int]  # inodes of our own process


def find_owners(root: Root) -> Owners:
    """Look at every process of a host but our own."""
    by_inode: dict[int, Owner] = {}
    running = []
    for stat in proc.processes():
        if stat.pid == os.getpid() or not stat.is_alive or not _belongs(stat.pid, root):
            continue
        owner = _describe(stat, root)
        running.append(owner)
        for inode in proc.sockets(stat.pid):
            by_inode[inode] = _closer(owner, by_inode.get(inode))
    return Owners(by_inode, sorted(running), frozenset(proc.sockets(os.getpid())))


def unit_of(control_groups: str) -> str:
    """Read /proc/<pid>/cgroup; empty if the process is in no unit of the system's manager."""
    for line in control_groups.splitlines():
        number, names, path = line.split(":", 2)
        if number not in _HIERARCHIES and names not in _HIERARCHIES:
            continue
        for part in path.split("/"):
            if part.endswith(".service"):
                return "" if part.startswith("user@") else part
    return ""


def _describe(stat: proc.ProcessStat, root: Root) -> Owner:
    unit = unit_of(_text(_PROC / str(stat.pid) / "cgroup"))
    return Owner(
        start_ticks=stat.start_ticks,
        pid=stat.pid,
        program=stat.name,
        unit=unit,
        command_line=proc.command_line(stat.pid),
        is_contained=_namespace(stat.pid) != _namespace(os.getpid()),
        directory=_directory(stat.pid, root),
    )


def _directory(pid: int, root: Root) -> str:
    try:
        is_confined = (_PROC / str(pid) / "root").readlink() not in (Path("/"), root.path)
        directory = (_PROC / str(pid) / "cwd").readlink()
    except OSError:
        return ""
    if is_confined or not directory.is_relative_to(root.path):
        return ""
    return root.strip(str(directory))


def _namespace(pid: int) -> str:
    """Return the process's own numbering of processes; ours where we may not see it."""
    link = _PROC / str(pid) / "ns/pid"
    try:
        return str(link.readlink())
    except OSError:
        return str((_PROC / "self/ns/pid").readlink())


def _closer(one: Owner, other: Owner | None) -> Owner:
    """Return which of two processes is the service itself: the older, but not init."""
    if other is None:
        return one
    return min(one, other, key=lambda owner: (owner.pid == _INIT, owner))


def _belongs(pid: int, root: Root) -> bool:
    """Tell whether a process is one of this host; of a lab's host are those that run in it."""
    if root.is_whole:
        return True
    if str(root.path) in proc.command_line(pid):
        return True
    return any(_leads_into(_PROC / str(pid) / name, root) for name in ("root", "cwd", "exe"))


def _leads_into(link: Path, root: Root) -> bool:
    try:
        return link.readlink().is_relative_to(root.path)
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
