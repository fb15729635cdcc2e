"""Looks for a secret wherever it must not be, in each of the spellings that it might have taken."""

import base64
import html
import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, quote_plus

_NESTED = 3  # a payload in a letter in a message is in base64 as often


@dataclass(frozen=True)
class Secret:
    """A text of which no trace may be left."""

    text: str

    @cached_property
    def spellings(self) -> frozenset[bytes]:
        """The text plain, decoded, hexadecimal and quoted; all of it in base64 at any alignment."""
        plain = {self.text.encode(), *self._decoded()}
        direct = plain | {text.encode() for text in self._quoted()} | set(_hexadecimal(plain))
        return frozenset(direct | _nested(plain, _NESTED) | _nested(direct, 1))

    def _quoted(self) -> Iterator[str]:
        text = self.text
        yield from (quote(text, safe=""), quote(text), quote_plus(text), quote(text).lower())
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (repr(text)[1:-1], ascii(text)[1:-1], html.escape(text), shlex.quote(text))
        yield base64.b64encode(text.encode()).decode().rstrip("=")

    def _decoded(self) -> Iterator[bytes]:
        """Yield the bytes that the text may itself be the base64 of."""
        try:
            yield base64.b64decode(self.text, validate=True)
        except ValueError:
            return

    def is_in(self, data: bytes) -> bool:
        return any(spelling in data for spelling in self.spellings)

    def files(self, *directories: Path, but: Iterable[Path] = ()) -> list[Path]:
        """Return the files under some directories that hold it, but for some known to."""
        known = {path.absolute() for path in but}
        return [p for p in _files(directories) if p.absolute() not in known and self._is_in_file(p)]

    def _is_in_file(self, path: Path) -> bool:
        if self.is_in(str(path).encode()):
            return True
        try:
            return self.is_in(path.read_bytes())
        except OSError:  # it went meanwhile
            return False


def _hexadecimal(plain: Iterable[bytes]) -> Iterator[bytes]:
    for raw in plain:
        yield from (raw.hex().encode(), raw.hex().upper().encode())


def _nested(forms: Iterable[bytes], depth: int) -> set[bytes]:
    found: set[bytes] = set()
    inner = set(forms)
    for _ in range(depth):
        inner = {_aligned(form, shift) for form in inner for shift in range(3)}
        found |= inner | {form.translate(bytes.maketrans(b"+/", b"-_")) for form in inner}
    return found


def _aligned(data: bytes, shift: int) -> bytes:
    """Return what is sure to stand in the base64 of anything that holds the data at this offset."""
    padded = base64.b64encode(b"\0" * shift + data)
    return padded[4 if shift else 0 : -4]


def _files(directories: Iterable[Path]) -> Iterator[Path]:
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path
