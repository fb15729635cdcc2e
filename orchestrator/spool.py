"""Where finished letters wait until all of a run are there: a file, so that memory holds one."""

import tempfile
from collections.abc import Iterator

from contract.closing import Closing
from contract.error import DenreiError

_LENGTH = 4  # bytes, before each letter


class SpoolError(DenreiError):
    """The file can't be written or read: the disk is full, most likely."""


class Spool(Closing):
    """Letters in the order in which they were put, in a file without a name."""

    def __init__(self) -> None:
        """Make the file. Raises SpoolError."""
        try:
            self._file = tempfile.TemporaryFile(prefix="denrei-")  # noqa: SIM115 - closed by `close`
        except OSError as error:
            raise _told(error) from None

    def put(self, letter: bytes) -> None:
        """Add a letter. Raises SpoolError."""
        try:
            self._file.write(len(letter).to_bytes(_LENGTH) + letter)
        except OSError as error:
            raise _told(error) from None

    def letters(self) -> Iterator[bytes]:
        """Yield the letters, one at a time. Raises SpoolError."""
        try:
            self._file.seek(0)
            while length := self._file.read(_LENGTH):
                yield self._file.read(int.from_bytes(length))
        except OSError as error:
            raise _told(error) from None

    def close(self) -> None:
        """Forget the letters."""
        try:
            self._file.close()
        except OSError as error:  # what was put last did not fit
            raise _told(error) from None


def _told(error: OSError) -> SpoolError:
    why = f"can't keep the orders of the run: {error.strerror}; is there room in $TMPDIR or /tmp?"
    return SpoolError(why)
