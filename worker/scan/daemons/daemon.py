"""What a daemon's configuration says of certificates, and how it is read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from worker.scan.files import Files
from worker.scan.owner import Owner


@dataclass(frozen=True, slots=True)
class Configured:
    """A certificate file that a configuration names."""

    path: str
    key: str = ""  # empty if it is not named, or is no file
    place: str = ""  # where it is named, such as `/etc/nginx/nginx.conf:12`
    service: str = ""  # known from the configuration itself; else that of the running process
    pid_file: str = ""  # where the process that uses it says who it is


@dataclass(frozen=True, slots=True)
class Daemon:
    """A kind of daemon: the names of its processes, and the reader of its configuration."""

    name: str
    programs: frozenset[str]
    read: Callable[[Files, Sequence[Owner]], Iterable[Configured]]  # of those that run
    pid_files: tuple[str, ...] = ()
    made_here: bool | None = None  # its certificates are made on the host itself

    def runs_as(self, owner: Owner | None) -> bool:
        return owner is not None and owner.program in self.programs
