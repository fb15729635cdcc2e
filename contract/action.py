"""The kinds of action: what each takes. How it is done is the worker's business."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from contract.probe import AbsolutePath, Argv, Process, UnitName
from contract.touch import ANYTHING, Access, Touch, nothing, reads, starts, writes

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


# Variables by which a program, an interpreter or a loader runs what it would not run by itself.
_HIJACKING = re.compile(
    r"(?:LD_|GLIBC_|PYTHON|PERL|RUBY|NODE_|BASH_|JAVA_|_JAVA).*|ENV|PATH|IFS|GCONV_PATH|SHELLOPTS"
)


def _command(arguments: Command) -> list[Touch]:
    files = [file.path for file in arguments.files]
    hijacked = any(map(_HIJACKING.fullmatch, arguments.env))
    further = [Touch(Access.EXECUTE, ANYTHING)] if hijacked else []
    return [*starts(arguments.argv), *further, *writes(*files, *arguments.scrub)]


def _file(arguments: FileWrite | FileRemove) -> list[Touch]:
    return writes(arguments.path)


def _file_copy(arguments: FileCopy) -> list[Touch]:
    return [t for f in arguments.files for t in (*reads(f.path), *writes(f.to))]


def _unit(arguments: Unit) -> list[Touch]:
    return [Touch(Access.CONTROL, arguments.name)]


def _signal(arguments: Signal) -> list[Touch]:
    # Only the unit says in advance whose process it is: a pid file's text and a command line don't.
    return [Touch(Access.CONTROL, arguments.unit or ANYTHING), *reads(arguments.pid_file)]


@dataclass(frozen=True, slots=True)
class ActionKind:
    """What a kind of action takes, and what it touches."""

    arguments: type[msgspec.Struct]
    takes_secret: tuple[str, ...]  # where a `${params.SECRET}` may stand; `[]` is any list item
    touches: Callable[[Any], list[Touch]]  # of filled-in arguments
    summary: str


ACTIONS: Mapping[str, ActionKind] = {
    "command": ActionKind(Command, ("files[].content", "stdin"), _command, "run a program"),
    "file.write": ActionKind(FileWrite, ("content",), _file, "put a file in place atomically"),
    "file.copy": ActionKind(FileCopy, (), _file_copy, "copy files that belong together"),
    "file.remove": ActionKind(FileRemove, (), _file, "remove a file"),
    "unit": ActionKind(Unit, (), _unit, "start, stop, restart or reload a unit"),
    "signal": ActionKind(Signal, (), _signal, "send a signal to a process"),
    "wait": ActionKind(Wait, (), nothing, "let time pass"),
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
