"""What for_each goes over on this host: the paths that fit, or the names in the runbook."""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from contract.parameter import UUID
from contract.pattern import Pattern
from contract.runbook import ForEach
from contract.template import render
from worker.observations.glob import expand
from worker.root import Root

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to go over."""

    name: str
    path: str  # as the host's own programs see it, without the root


@dataclass(frozen=True, slots=True)
class Found:
    """The items, and what people should know about the rest."""

    items: list[Item]
    notes: list[str]


def find_items(for_each: ForEach, texts: Mapping[str, Any], root: Root) -> Found:
    """Return what for_each goes over on this host now, in the order of the names.

    Raises ObservationError if a directory can't be read: not seen is not absent.
    """
    only = render(for_each.only, texts)
    if for_each.values:
        items = [Item(name, name) for name in for_each.values if only in ("", name)]
        return Found(items, [] if items else [f"no {for_each.item} is named {only!r}"])
    pattern = str(render(for_each.glob, texts))
    if only:
        items = [Item(only, path) for path in _named(for_each, pattern, only, root)]
        return Found(items, [] if items else [f"no {for_each.item} is named {only!r}"])
    return _found(for_each, pattern, list(_paths(pattern, root)), root)


def _named(for_each: ForEach, pattern: str, only: str, root: Root) -> list[str]:
    """Return the path of the one item asked for, there or not; none if no item is ever so named."""
    place = PurePosixPath(pattern)
    is_name = "/" not in only and only not in (".", "..") and _fits(for_each, only)
    if not is_name or not fnmatch.fnmatchcase(only, place.name):
        return []
    if _MAGIC.search(str(place.parent)):  # only a look can tell below which of them
        return [path for path in _paths(pattern, root) if Path(path).name == only]
    return [str(place.parent / only)]


def _found(for_each: ForEach, pattern: str, paths: list[str], root: Root) -> Found:
    items = [Item(Path(path).name, path) for path in paths if _fits(for_each, Path(path).name)]
    names = {item.name for item in items}
    # Links point at what is named anyhow; only real things are worth a word.
    others = [p for p in paths if Path(p).name not in names and not root.locate(p).is_symlink()]
    others = [p for p in others if Pattern(for_each.tell or ".*").fits(Path(p).name)]
    notes = []
    if not items:
        notes.append(f"no {for_each.item} found at {pattern}")
    if others:
        notes.append(f"left alone: {', '.join(_shown(Path(p).name) for p in others)}")
    return Found(items, notes)


def _fits(for_each: ForEach, name: str) -> bool:
    if _shown(name) != name:
        return False
    if for_each.name == "uuid":
        return UUID.fullmatch(name) is not None
    return not for_each.name or Pattern(for_each.name).fits(name)


def _paths(pattern: str, root: Root) -> Iterator[str]:
    """Yield the paths that fit, without the root; a pattern ending in `/` wants directories."""
    wants_directories = pattern.endswith("/")
    for path in expand(pattern, root):
        if not wants_directories or root.locate(path).is_dir():
            yield path


def _shown(name: str) -> str:
    """Return a name with what is no UTF-8 written out; such a name goes into no command."""
    return name.encode(errors="backslashreplace").decode()
