"""The observation `glob`: the paths that fit a pattern."""

import fnmatch
import re
import stat
from pathlib import Path

from contract.parameter import UUID
from contract.probe import Glob
from worker.observations.observation import Fields, compiled, looking_at
from worker.root import Root

_MAGIC = re.compile(r"[*?\[]")


def observe_glob(arguments: Glob, root: Root) -> Fields:
    """Return the paths that fit, as an order writes them: without the root's prefix."""
    paths = [p for p in expand(arguments.path, root) if fits(Path(p).name, arguments.name)]
    return {
        "exists": bool(paths),
        "count": len(paths),
        "names": sorted(Path(path).name for path in paths),
        "paths": paths,
        "size": sum(_size(root.locate(path)) for path in paths),
    }


def _size(path: Path) -> int:
    with looking_at(path):
        try:
            found = path.lstat()
        except FileNotFoundError:
            return 0  # gone since it was listed
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def expand(pattern: str, root: Root) -> list[str]:
    """Return every path that fits a pattern, sorted, without the root's prefix.

    `*`, `?` and `[...]` fit within one component, and no leading dot. Unlike Python's glob, this
    raises ObservationError for a directory that may not be read: not seen is not absent.
    """
    found = [root.locate("/")]
    for part in root.locate(pattern).relative_to(root.path).parts:
        found = [below for base in found for below in _step(base, part)]
    return sorted(root.strip(str(path)) for path in found)


def is_pattern(path: str) -> bool:
    """Tell whether a path has wildcards."""
    return _MAGIC.search(path) is not None


def fits(name: str, wanted: str | None) -> bool:
    """Tell whether a last component is wanted: `uuid`, or a regular expression for all of it."""
    if wanted is None:
        return True
    if wanted == "uuid":
        return UUID.fullmatch(name) is not None
    return compiled(wanted).fits(name)


def _step(base: Path, part: str) -> list[Path]:
    with looking_at(base):
        try:
            if is_pattern(part):
                return [path for path in base.iterdir() if _shown(path.name, part)]
            (base / part).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return []
    return [base / part]


def _shown(name: str, part: str) -> bool:
    return fnmatch.fnmatchcase(name, part) and (name[0] != "." or part[0] == ".")
