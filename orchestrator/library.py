"""Where a runbook's name is looked for, and which one was taken."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from contract.document import MAX_BYTES
from contract.error import DenreiError
from contract.parameter import did_you_mean

if TYPE_CHECKING:
    from contract.runbook import Runbook

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)*")
_SUFFIX = ".yaml"
_SHIPPED = "runbooks"

SHORT_NAMES = {
    "check": "oms/check",
    "restart": "oms/restart",
    "reonboard": "oms/reonboard",
}  # an own runbook of such a name outranks it; orders and reports have the full one


class RunbookNotFoundError(DenreiError):
    """No runbook has this name, or its file can't be read."""


class Origin(StrEnum):
    """Where a runbook was found."""

    PATH = "path"  # a file was named
    FOLDER = "folder"  # in the directory given with --runbooks
    HOME = "home"  # in the home's own runbooks
    SHIPPED = "shipped"  # came with Denrei


@dataclass(frozen=True, slots=True)
class Found:
    """A runbook's text and where it came from."""

    name: str
    origin: Origin
    file: str  # to show
    data: bytes
    short: str = ""  # another name that leads to it

    def load(self) -> "Runbook":
        """Read, check and type-check it. Raises DocumentError."""
        from contract.loader import load_runbook

        return load_runbook(self.data, self.file)


class Library:
    """Looks for runbooks: in a given folder, in the home, then among the shipped ones."""

    def __init__(self, folder: Path | None = None, home: Path | None = None) -> None:
        """Look in these directories first; the shipped ones always come last."""
        self._shelves: list[tuple[Origin, Traversable]] = []
        if folder is not None:
            self._shelves.append((Origin.FOLDER, folder))
        if home is not None:
            self._shelves.append((Origin.HOME, home))
        self._shelves.append((Origin.SHIPPED, resources.files(_SHIPPED)))

    def find(self, wanted: str) -> Found:
        """Return the runbook of a name or a path. Raises RunbookNotFoundError."""
        if wanted.startswith((".", "/", "~")) or wanted.endswith((_SUFFIX, ".yml")):
            path = Path(wanted).expanduser()
            return Found(path.stem, Origin.PATH, wanted, _read(path))
        if not _NAME.fullmatch(wanted):
            message = f"{wanted!r} is neither a runbook's name nor a path that ends in {_SUFFIX}"
            raise RunbookNotFoundError(message)
        for name in filter(None, (wanted, SHORT_NAMES.get(wanted))):
            for origin, shelf in self._shelves:
                file = shelf.joinpath(*f"{name}{_SUFFIX}".split("/"))
                if file.is_file():
                    return Found(name, origin, _show(origin, name, file), _read(file))
        raise RunbookNotFoundError(self._not_found(wanted))

    def list(self) -> list[Found]:
        """Return every runbook that `find` would find by name, sorted by name."""
        found: dict[str, Found] = {}
        for origin, shelf in self._shelves:
            for name, file in _files(shelf, ""):
                if name not in found:
                    found[name] = Found(name, origin, _show(origin, name, file), _read(file))
        shorts = {full: short for short, full in SHORT_NAMES.items() if short not in found}
        return [replace(found[name], short=shorts.get(name, "")) for name in sorted(found)]

    def _not_found(self, wanted: str) -> str:
        places = [str(shelf) for origin, shelf in self._shelves if origin is not Origin.SHIPPED]
        where = ", ".join([*places, "the shipped ones"])
        names = [name for _, shelf in self._shelves for name, _ in _files(shelf, "")]
        names += SHORT_NAMES
        return f"no runbook {wanted!r} in {where}{did_you_mean(wanted, names)}"


def _files(shelf: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    if not shelf.is_dir():
        return
    for file in sorted(shelf.iterdir(), key=lambda entry: entry.name):
        name = prefix + file.name.removesuffix(_SUFFIX)
        if not _NAME.fullmatch(name):
            continue
        if file.name.endswith(_SUFFIX) and file.is_file():
            yield name, file
        elif file.is_dir():
            yield from _files(file, f"{name}/")


def _show(origin: Origin, name: str, file: Traversable) -> str:
    return f"{_SHIPPED}/{name}{_SUFFIX}" if origin is Origin.SHIPPED else str(file)


def _read(file: Traversable) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)  # one more, so that the loader can say "too large"
    except OSError as error:
        raise RunbookNotFoundError(f"can't read {file}: {error.strerror}") from None
