"""What a daemon's configuration says of certificates, and how it is read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from worker.scan.directive import beside
from worker.scan.files import Files
from worker.scan.owner import Owner


@dataclass(frozen=True, slots=True)
class Configured:
    """A certificate file that a configuration names."""

    path: str
    key: str = ""  # empty if it is not named, or is no file
    place: str = ""  # where it is named, such as `/etc/nginx/nginx.conf:12`
    owner: Owner | None = None  # the process that reads this configuration, if one runs
    service: str = ""  # known from the configuration itself; else that of the process
    pid_file: str = ""  # where the process that uses it says who it is


@dataclass(frozen=True, slots=True)
class Daemon:
    """A kind of daemon: the names of its processes, and the reader of its configuration."""

    name: str
    programs: frozenset[str]
    read: Callable[[Files, Sequence[Owner]], Iterable[Configured]]  # of those that run
    tells_owner: bool = False  # the reader says which process each file is of; else it is the first
    made_here: bool | None = None  # its certificates are made on the host itself

    def runs_as(self, owner: Owner | None) -> bool:
        return owner is not None and owner.program in self.programs and not owner.is_contained


def instances(
    running: Sequence[Owner], told: Callable[[Owner], Iterable[str]], defaults: Iterable[str]
) -> list[tuple[Owner | None, list[str]]]:
    """Return which configurations each process reads: those that it was told, else the defaults."""
    found: dict[tuple[str, ...], Owner | None] = {}
    for owner in running:
        found.setdefault(tuple(told(owner)) or tuple(defaults), owner)
    if not any(set(defaults) & set(paths) for paths in found):
        found[tuple(defaults)] = None
    return [(owner, list(paths)) for paths, owner in found.items()]


def absolute(paths: Sequence[str], base: str, owner: Owner, files: Files) -> list[str]:
    """Return the paths that a process was started with; tell those whose base is not known."""
    known = [path for path in paths if base or path.startswith("/")]
    for path in paths:
        if path not in known:
            files.tell(f"{owner.program} (process {owner.pid}): {path}: relative to nothing known")
    return [beside(base, path) for path in known]
