"""Looks for a secret wherever it must not be, in each of the spellings that it might have taken."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Secret:
    """A text of which no trace may be left."""

    text: str

    @property
    def spellings(self) -> set[bytes]:
        """The text plain, in base64 at each alignment, in hexadecimal, quoted, and decoded."""
        plain = self.text.encode()
        found = {plain, plain.hex().encode(), plain.hex().upper().encode()}
        found |= {quote(self.text, safe="").encode(), quote(self.text).encode()}
        found |= {_aligned(plain, shift) for shift in range(3)}
        try:
            raw = base64.b64decode(self.text, validate=True)
        except ValueError:
            return found
        return found | {raw, raw.hex().encode()}

    def is_in(self, data: bytes) -> bool:
        return any(spelling in data for spelling in self.spellings)

    def files(self, *directories: Path, but: Iterable[Path] = ()) -> list[Path]:
        """Return the files under some directories that hold it, but for some known to."""
        known = {path.absolute() for path in but}
        return [p for p in _files(directories) if p.absolute() not in known and self._is_in_file(p)]

    def _is_in_file(self, path: Path) -> bool:
        try:
            return self.is_in(path.read_bytes())
        except OSError:  # it went meanwhile
            return False


def _aligned(data: bytes, shift: int) -> bytes:
    """Return what is sure to stand in the base64 of anything that holds the data at this offset."""
    padded = base64.b64encode(b"\0" * shift + data)
    return padded[4 if shift else 0 : -4]


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path
