"""A directory of sealed letters between courier and executor: found whole or not at all.

Nothing waits for the disk here, since no letter is the only record of what it says: an order comes
again until the ledger has it and a receipt tells so, a report is in the ledger and put out anew if
its file is not there, and the rest is asked for again. A power loss can leave a file with a name
and without all of its content; a letter's name is its digest, so that is found out.

Both may write there, and under systemd they are two users with a group in common. The executor
believes nothing that it finds: no link is followed, nothing but a plain file is read, and what is
written is always a new file.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path

from contract.bell import ring
from contract.error import PassingError

MAX_LETTER = 512 * 1024  # bytes; more than any envelope may have
MAX_LETTERS = 2_000
_MOST_ENTRIES = 20_000  # looked at in one go: letters, and what somebody else may have put there
_FOR_A_GROUP = 0o640  # its directory says who gets there
BELL = "bell"


class Care(StrEnum):
    """How long a letter in the outbox is to be kept; the suffix of its file."""

    ONCE = ".once"  # gone when it was sent: it is asked for again if it got lost
    KEEP = ".keep"  # sent again until the executor takes the file away


class MailboxError(PassingError):
    """A letter can't be put down: too large, too many, or the disk refuses."""


class Mailbox:
    """One direction: one process puts letters in, the other takes them out."""

    def __init__(self, directory: Path) -> None:
        """Use an existing directory."""
        self.directory = directory

    def put(self, letter: bytes, care: Care = Care.ONCE) -> str:
        """Put a letter down and ring; return its digest.

        Raises MailboxError, and then nothing was put down.
        """
        if len(letter) > MAX_LETTER:
            raise MailboxError(f"a letter of {len(letter)} bytes is too large")
        if self._is_full():
            raise MailboxError(f"{self.directory} holds {MAX_LETTERS} letters already")
        digest = hashlib.sha256(letter).hexdigest()
        try:
            self._write(digest + care.value, letter)
        except OSError as error:
            raise MailboxError(f"can't write to {self.directory}: {error.strerror}") from None
        ring(self.directory / BELL)
        return digest

    def remove_drafts(self) -> None:
        """Remove what a killed writer left half written; for the one writer, when it starts."""
        with os.scandir(self.directory) as entries:
            for entry in islice(entries, _MOST_ENTRIES):
                if entry.name.startswith("."):
                    with contextlib.suppress(OSError):  # a strange directory there bars nobody
                        Path(entry.path).unlink()

    def letters(self) -> list[Path]:
        """Return the letters, oldest first. What is no plain file is no letter.

        Of more than there may be, only as many are seen at a time.
        """
        try:
            with os.scandir(self.directory) as entries:
                found = list(islice(_letters(islice(entries, _MOST_ENTRIES)), MAX_LETTERS))
        except OSError as error:
            raise MailboxError(f"can't read {self.directory}: {error.strerror}") from None
        return [Path(path) for _, path in sorted(found)]

    def read(self, path: Path) -> bytes | None:
        """Return a letter's bytes; None if it is gone, or no whole letter of this name."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(MAX_LETTER + 1)
        finally:
            os.close(descriptor)
        is_whole = len(data) <= MAX_LETTER and hashlib.sha256(data).hexdigest() == path.stem
        return data if is_whole else None

    def take_away(self, digest: str) -> None:
        """Remove a letter, whichever care it had."""
        for care in Care:
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                (self.directory / (digest + care.value)).unlink()

    def _is_full(self) -> bool:
        """Tell whether as many letters lie here as may, by their names alone."""
        try:
            names = os.listdir(self.directory)  # noqa: PTH208 - for each letter
        except OSError as error:
            raise MailboxError(f"can't read {self.directory}: {error.strerror}") from None
        return len(names) >= MAX_LETTERS and sum(map(_is_letter, names)) >= MAX_LETTERS

    def _write(self, name: str, data: bytes) -> None:
        draft = f"{self.directory}/.{name}.{os.getpid()}"
        try:
            with os.fdopen(_create(draft), "wb") as file:
                os.fchmod(file.fileno(), _FOR_A_GROUP)
                file.write(data)
            os.rename(draft, f"{self.directory}/{name}")  # noqa: PTH104 - for each letter
        except OSError:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
            raise


def _create(path: str) -> int:
    """Open a new file for us alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:  # of a process before us that had our number, or a trap
        Path(path).unlink()
        return os.open(path, flags, 0o600)


def _is_letter(name: str) -> bool:
    return name.endswith((Care.ONCE, Care.KEEP))


def _letters(entries: Iterator[os.DirEntry[str]]) -> Iterator[tuple[int, str]]:
    for entry in entries:
        if _is_letter(entry.name) and entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False).st_mtime_ns, entry.path
