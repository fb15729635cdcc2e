"""A disk as a power loss leaves it: what was synced, and any part of what was not.

One directory. A write is durable when its file was synced since, a new, moved or removed name when
the directory was. Of all else each sector is there, is not, or is torn; each name has come or not.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SECTORS = (512, 4096)  # bytes that a disk writes as one, if the power lasts
_KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)  # how much of the unsynced an image keeps
_TORN = 0.05  # of the sectors


@dataclass(frozen=True, slots=True)
class Create:
    """A name that was not there, for a new file."""

    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes put into a file."""

    file: int
    offset: int
    data: bytes

    def pieces(self, sector: int) -> Iterator[tuple[int, bytes]]:
        """Cut it where sectors end."""
        begin = self.offset
        while begin < self.offset + len(self.data):
            end = min((begin // sector + 1) * sector, self.offset + len(self.data))
            yield begin, self.data[begin - self.offset : end - self.offset]
            begin = end


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file made this long."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file is to be on the disk before this ends."""

    file: int


@dataclass(frozen=True, slots=True)
class Rename:
    """A file under another name."""

    old: str
    new: str
    file: int


@dataclass(frozen=True, slots=True)
class Remove:
    """A name taken away."""

    name: str


@dataclass(frozen=True, slots=True)
class SyncDirectory:
    """All names are to be on the disk before this ends."""


@dataclass(frozen=True, slots=True)
class Returned:
    """No I/O: one more call has returned to its caller, who relies on it from now on."""


Operation = Create | Write | Truncate | Sync | Rename | Remove | SyncDirectory | Returned


@dataclass(slots=True)
class Platter:
    """The state of the disk while operations come in one by one."""

    returned: int = 0  # how many calls have
    _names: dict[str, int] = field(default_factory=dict)
    _moves: list[Create | Rename | Remove] = field(default_factory=list)
    _files: dict[int, bytearray] = field(default_factory=dict)
    _unsynced: dict[int, list[Write | Truncate]] = field(default_factory=dict)

    def take(self, operation: Operation) -> None:
        """Do one operation."""
        match operation:
            case Returned():
                self.returned += 1
            case Write() | Truncate():
                self._unsynced.setdefault(operation.file, []).append(operation)
            case Sync(file):
                content = self._files.setdefault(file, bytearray())
                for change in self._unsynced.pop(file, []):
                    _change(content, change)
            case SyncDirectory():
                for move in self._moves:
                    _move(self._names, move)
                self._moves.clear()
            case _:
                self._moves.append(operation)

    def image(self, chance: random.Random) -> Mapping[str, bytes]:
        """Return what is in the directory when the power comes back."""
        keep, sector = chance.choice(_KEPT), chance.choice(SECTORS)
        names = dict(self._names)
        for move in self._moves:
            if chance.random() < keep:
                _move(names, move)
        return {name: self._content(file, keep, sector, chance) for name, file in names.items()}

    def _content(self, file: int, keep: float, sector: int, chance: random.Random) -> bytes:
        content = bytearray(self._files.get(file, b""))
        for change in self._unsynced.get(file, ()):
            if isinstance(change, Truncate):
                if chance.random() < keep:
                    _change(content, change)
                continue
            for offset, piece in change.pieces(sector):
                if chance.random() < keep:
                    torn = keep < 1 and chance.random() < _TORN
                    length = chance.randrange(len(piece)) if torn else len(piece)
                    _change(content, Write(file, offset, piece[:length]))
        return bytes(content)


def _change(content: bytearray, change: Write | Truncate) -> None:
    size = change.size if isinstance(change, Truncate) else change.offset
    content.extend(bytes(max(size - len(content), 0)))
    if isinstance(change, Truncate):
        del content[change.size :]
    else:
        content[change.offset : change.offset + len(change.data)] = change.data


def _move(names: dict[str, int], move: Create | Rename | Remove) -> None:
    match move:
        case Create(name, file):
            names[name] = file
        case Rename(old, new, file):
            names.pop(old, None)
            names[new] = file
        case Remove(name):
            names.pop(name, None)
