"""Secrets from the machine that `denrei` runs on: files and environment variables."""

import os
from pathlib import Path

from orchestrator.secret.provider import SecretError

MAX_BYTES = 64 * 1024


class Files:
    """Reads secrets from files: `@FILE`."""

    def read(self, place: str) -> str:
        """Return a file's text without the line break at its end. Raises SecretError."""
        path = Path(place).expanduser()
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise SecretError(f"can't read {path}: {error.strerror}") from None
        return as_secret(data, str(path))


class Environment:
    """Reads secrets from the environment of this process: `env:NAME`."""

    def read(self, place: str) -> str:
        """Return a variable's value as it is. Raises SecretError."""
        value = os.environ.get(place)
        if value is None:
            raise SecretError(f"there is no environment variable {place}")
        return value


def as_secret(data: bytes, origin: str) -> str:
    """Return what was read as text. Raises SecretError."""
    if len(data) > MAX_BYTES:
        raise SecretError(f"{origin} is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{origin} is not UTF-8 text") from None
    # Editors and `echo` end files with a line break, which belongs to no secret.
    return text.removesuffix("\n").removesuffix("\r")
