"""Where a host's files and names are: the machine itself, or a directory that stands for one."""

import grp
import os
import pwd
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from contract.error import DenreiError

_REMEMBERED = 256  # paths: a step comes back to the same ones


class UnknownNameError(DenreiError):
    """A user or group name means nothing on this host."""


@dataclass(frozen=True, slots=True)
class Root:
    """The directory that every path of an order is under: `/`, a chroot, or a host of the lab.

    Symbolic links below it are followed as the kernel follows them, also to the outside.
    """

    path: Path = Path("/")
    is_whole: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every path of an order asks."""
        object.__setattr__(self, "is_whole", self.path == Path("/"))

    def locate(self, place: str) -> Path:
        """Return where a path of an order really is; `..` never leads out of the root."""
        return _located("" if self.is_whole else str(self.path), place)

    def prefix(self, text: str) -> str:
        """Put the root in front of a text that begins with a path."""
        return text if self.is_whole else f"{self.path}{text}"

    def strip(self, place: str) -> str:
        """Return a located path as an order writes it."""
        return place if self.is_whole else place.removeprefix(str(self.path)) or "/"

    def user_id(self, name: str) -> int:
        """Return a user's id; under a prefix the root directory's owner stands for everybody.

        Raises UnknownNameError.
        """
        if not self.is_whole:
            return self.path.stat().st_uid
        return _id(name, "user", lambda: pwd.getpwnam(name).pw_uid)

    def group_id(self, name: str) -> int:
        """Return a group's id; under a prefix the root directory's group stands for all.

        Raises UnknownNameError.
        """
        if not self.is_whole:
            return self.path.stat().st_gid
        return _id(name, "group", lambda: grp.getgrnam(name).gr_gid)

    def user_name(self, uid: int) -> str:
        """Return a user's name, or the id in digits when nobody has it."""
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return str(uid)

    def group_name(self, gid: int) -> str:
        """Return a group's name, or the id in digits when no group has it."""
        try:
            return grp.getgrgid(gid).gr_name
        except KeyError:
            return str(gid)

    def home(self) -> str:
        """Return the home of who runs the commands: ours, or that of the prefix's owner."""
        uid = os.geteuid() if self.is_whole else self.path.stat().st_uid
        try:
            return pwd.getpwuid(uid).pw_dir
        except KeyError:
            return "/"

    def resolve(self, host: str) -> list[str]:
        """Return a host's addresses: those of the prefix's own etc/hosts first, else the system's.

        Raises OSError (socket.gaierror) for a name that nobody knows.
        """
        known = [] if self.is_whole else self._own_hosts(host.lower())
        if known:
            return known
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def _own_hosts(self, host: str) -> list[str]:
        try:
            text = self.locate("/etc/hosts").read_text(errors="replace")
        except OSError:
            return []
        lines = [line.partition("#")[0].lower().split() for line in text.splitlines()]
        return [words[0] for words in lines if host in words[1:]]


@lru_cache(maxsize=_REMEMBERED)
def _located(prefix: str, place: str) -> Path:
    return Path(f"{prefix}{os.path.normpath('/' + place.lstrip('/'))}")


def _id(name: str, kind: str, look_up: Callable[[], int]) -> int:
    try:
        return look_up()
    except KeyError:
        pass
    if name.isdecimal() and name.isascii():
        return int(name)
    raise UnknownNameError(f"there is no {kind} named {name!r} on this host")
