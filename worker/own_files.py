"""The worker's own files: what it believes, it believes only where nobody else may write."""

from contextlib import suppress
from pathlib import Path

from contract.error import DenreiError
from worker.safe_path import check_ours
from worker.spot import UntrustedPathError


class OwnFileError(DenreiError):
    """Somebody besides root and the worker's own user has a say in one of its files."""


def check_own(*paths: Path) -> None:
    """See to it that nobody else could have made, changed or exchanged these. Raises OwnFileError.

    No link may stand at the very end. One that is missing is for its reader to tell.
    """
    for path in paths:
        try:
            with suppress(FileNotFoundError, NotADirectoryError):
                check_ours(path)
        except UntrustedPathError as error:
            raise OwnFileError(f"{path} is not trusted: {error.strerror}") from None
        except OSError as error:
            raise OwnFileError(f"can't look at {path}: {error.strerror}") from None
