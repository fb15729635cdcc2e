"""Control groups, version 2 (cgroups(7)): what a step starts can't leave its group by forking.

    home               the executor's own group: executor and keepers
      └── denrei-…     one command and all that it starts

No controller is enabled here, so a group that holds processes may have groups below it.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

_PROC = Path("/proc")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One group, by its directory; it may vanish while we look, and is empty then."""

    path: Path

    def make(self, name: str) -> "Cgroup":
        """Return the group below with a name, made if need be. Raises OSError."""
        below = Cgroup(self.path / name)
        below.path.mkdir(exist_ok=True)
        return below

    def take(self, pid: int) -> None:
        """Move a process in; 0 is the caller. What it forks from then on is born here."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def members(self) -> list[int]:
        """Return the living processes here and in the groups below."""
        found: list[int] = []
        for group in _from(str(self.path)):
            with suppress(OSError):  # no member, or a group of threads
                found += map(int, Path(group, "cgroup.procs").read_bytes().split())
        return [pid for pid in found if pid]  # 0 is one of a PID namespace that we do not see

    @property
    def above(self) -> "Cgroup":
        return Cgroup(self.path.parent)

    @property
    def is_populated(self) -> bool:
        """Tell whether anything lives here or below: one word of the kernel's, no listing."""
        try:
            return "populated 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return False

    def kill(self) -> None:
        """End all that is here and below; one stroke where Linux has it (5.14)."""
        switch = self.path / "cgroup.kill"
        if switch.exists():
            with suppress(OSError):
                switch.write_text("1")
        else:
            self.kill_one_by_one()

    def kill_one_by_one(self) -> None:
        """End all that is here and below, frozen so that nobody forks meanwhile."""
        self._freeze("1")
        for pid in self.members():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self._freeze("0")

    def remove(self) -> None:
        """Remove the group and those below it; one that is in use stays."""
        for group in reversed([*_from(str(self.path))]):
            with suppress(OSError):
                Path(group).rmdir()

    def _freeze(self, state: str) -> None:
        with suppress(OSError):
            (self.path / "cgroup.freeze").write_text(state)


def home(process: str = "self") -> Cgroup | None:
    """Return the group that a process is in, if it is in a hierarchy that we can see."""
    with suppress(OSError):
        own = _own(process)
        for root, point in _mounts(_PROC / "self/mountinfo"):
            if own and own.is_relative_to(root):
                return Cgroup(point / own.relative_to(root))
    return None


def find(name: str) -> Cgroup | None:
    """Return the group of a name wherever it is: an executor's own may have changed since."""
    with suppress(OSError):
        for _, point in _mounts(_PROC / "self/mountinfo"):
            for directory, names, _ in os.walk(point):
                if name in names:
                    return Cgroup(Path(directory, name))
    return None


def make(name: str) -> Cgroup | None:
    """Make a group below our own and return it; None where we may not."""
    with suppress(OSError):
        if here := home():
            return here.make(name)
    return None


def _from(group: str) -> Iterator[str]:
    """Yield a group's directory and those below it."""
    yield group
    with suppress(OSError), os.scandir(group) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _from(entry.path)


def _own(process: str) -> PurePosixPath | None:
    for line in (_PROC / process / "cgroup").read_text().splitlines():
        if line.startswith("0::"):
            own = PurePosixPath(line.removeprefix("0::"))
            return None if ".." in own.parts else own  # outside of our namespace
    return None


@lru_cache(maxsize=1)  # a process keeps what it began with; the table is long on some hosts
def _mounts(table: Path) -> list[tuple[PurePosixPath, Path]]:
    """Return where hierarchies of version 2 are mounted, and which part of them it is."""
    found = []
    for line in table.read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        if filesystem.startswith("cgroup2 "):
            root, point = (_OCTAL.sub(_character, word) for word in mount.split()[3:5])
            found.append((PurePosixPath(root), Path(point)))
    return found


def _character(octal: re.Match[str]) -> str:
    return chr(int(octal[1], 8))
