"""What an observation or an action touches on a host: what the host's policy is asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """How something is touched."""

    READ = "read"  # a path, or a pattern of paths
    WRITE = "write"  # a path: made, changed, removed
    EXECUTE = "execute"  # a program
    CONTROL = "control"  # a unit of systemd: started, stopped, signalled


ANYTHING = "*"  # stands for a path or a unit that can't be known before it is touched


@dataclass(frozen=True, slots=True, order=True)
class Touch:
    """One thing on the host, and how it is touched."""

    access: Access
    what: str


def starts(argv: Sequence[str]) -> list[Touch]:
    """Return the program of a command line; without an absolute path the worker starts none."""
    return [Touch(Access.EXECUTE, argv[0])] if argv[0].startswith("/") else []


def reads(*paths: str | None) -> list[Touch]:
    """Return the paths that are given, as read."""
    return [Touch(Access.READ, path) for path in paths if path]


def writes(*paths: str) -> list[Touch]:
    """Return paths as written."""
    return [Touch(Access.WRITE, path) for path in paths]


def nothing(_arguments: object) -> list[Touch]:
    """Return what something touches that stays off files, programs and units."""
    return []
