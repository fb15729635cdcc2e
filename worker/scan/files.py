"""The configuration files of a host, read within limits; what can't be read is told, once."""

import os
import stat

from worker.observations.content import read_content
from worker.observations.glob import expand
from worker.observations.observation import ObservationError, reason
from worker.root import Root

_LARGEST = 1024 * 1024
_NOTHING = 0  # no mode of anything
_MOST = 5000  # files read and patterns expanded


class Files:
    """Reads files by the paths that a host knows them by, and keeps what went wrong."""

    def __init__(self, root: Root) -> None:
        """Begin without a problem."""
        self.root = root
        self.problems: list[str] = []
        self._left = _MOST

    @property
    def is_spent(self) -> bool:
        """Tell whether as much was read as may be."""
        return self._left <= 0

    def tell(self, problem: str) -> None:
        """Keep a problem for the end."""
        if problem not in self.problems:
            self.problems.append(problem)

    def data(self, path: str) -> bytes | None:
        """Return a file's content; None if nothing is there, or if it can't be read."""
        if self.is_spent:
            self.tell(f"{path}: not read, for {_MOST} others were read before")
            return None
        self._left -= 1
        try:
            return read_content(self.root.locate(path), _LARGEST)
        except ObservationError as error:
            self.tell(str(error))
            return None

    def text(self, path: str) -> str | None:
        """Return a file as text, in which no character is one that a path may not have."""
        data = self.data(path)
        return None if data is None else data.decode(errors="replace").replace("\0", "\ufffd")

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that fit a pattern; a path without wildcards is one if it is there."""
        self._left -= 1
        try:
            return expand(pattern, self.root)
        except ObservationError as error:
            self.tell(str(error))
            return []

    def is_directory(self, path: str) -> bool:
        return stat.S_ISDIR(self._mode(path))

    def is_file(self, path: str) -> bool:
        return stat.S_ISREG(self._mode(path))

    def exists(self, path: str) -> bool:
        return self._mode(path) != _NOTHING

    def _mode(self, path: str) -> int:
        """Return the kind of what is there; what we may not see is told, and not there for us."""
        try:
            return self.root.locate(path).stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return _NOTHING
        except OSError as error:
            self.tell(f"can't read {self.root.locate(path)}: {reason(error)}")
            return _NOTHING

    def real(self, path: str) -> str:
        """Return the file that a path leads to, all links followed."""
        return self.root.strip(os.path.realpath(self.root.locate(path)))
