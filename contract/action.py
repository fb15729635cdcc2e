"""The kinds of action: what each takes. How it is done is the worker's business."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from contract.probe import AbsolutePath, Argv, Process, UnitName

Mode = Annotated[str, msgspec.Meta(pattern=r"^0?[0-7]{3}$")]


class CommandFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is there only while a command runs: the way a secret reaches a tool."""

    path: AbsolutePath
    content: str
    mode: Mode = "0600"


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run a program, without a shell and with a clean environment."""

    argv: Argv
    files: list[CommandFile] = []
    scrub: list[AbsolutePath] = []  # further paths removed after every outcome and at recovery
    leaves_daemon: bool = False  # what survives a normal exit is a service, not a leftover
    stdin: str | None = None
    env: dict[str, str] = {}
    cwd: AbsolutePath = "/"
    output: Literal["report", "discard"] = "report"  # discard: nothing of it is kept


class FileWrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Put a file in place atomically."""

    path: AbsolutePath
    content: str
    mode: Mode = "0644"
    owner: str | None = None
    group: str | None = None


class CopiedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to copy, and where to."""

    path: AbsolutePath
    to: AbsolutePath  # a link is followed, and stays


class FileCopy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Copy files that belong together, with owner and mode: all of them, or none if one fails."""

    files: Annotated[list[CopiedFile], msgspec.Meta(min_length=1, max_length=20)]
    make_directory: bool = False  # for the worker's user alone, where there is none


class FileRemove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Remove a file; a missing one is fine."""

    path: AbsolutePath


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask systemd to start, stop, restart or reload a unit."""

    name: UnitName
    verb: Literal["start", "stop", "restart", "reload"]


class Signal(Process, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Send a signal to the process that the observation `process` would find."""

    signal: Literal["HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "WINCH"]
    all: bool = False  # to every process that fits; else there must be exactly one


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let time pass, for what settles by itself."""

    duration: str


@dataclass(frozen=True, slots=True)
class ActionKind:
    """What a kind of action takes."""

    arguments: type[msgspec.Struct]
    takes_secret: tuple[str, ...]  # where a `${params.SECRET}` may stand; `[]` is any list item
    summary: str
    program: str = ""  # the host's policy must allow it, as if the runbook named it


ACTIONS: Mapping[str, ActionKind] = {
    "command": ActionKind(Command, ("files[].content", "stdin"), "run a program"),
    "file.write": ActionKind(FileWrite, ("content",), "put a file in place atomically"),
    "file.copy": ActionKind(FileCopy, (), "copy files that belong together"),
    "file.remove": ActionKind(FileRemove, (), "remove a file"),
    "unit": ActionKind(Unit, (), "start, stop, restart or reload a unit", "/usr/bin/systemctl"),
    "signal": ActionKind(Signal, (), "send a signal to a process", "/usr/bin/kill"),
    "wait": ActionKind(Wait, (), "let time pass"),
}


def texts(tree: Any, path: str = "") -> list[tuple[str, str]]:
    """Return every text of an action's arguments with its place, such as `files[].content`."""
    if isinstance(tree, str):
        return [(path, tree)]
    if isinstance(tree, Mapping):
        children = [texts(child, f"{path}.{name}".lstrip(".")) for name, child in tree.items()]
    elif isinstance(tree, list):
        children = [texts(child, f"{path}[]") for child in tree]
    else:
        children = []
    return [found for child in children for found in child]
