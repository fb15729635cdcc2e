"""Reads secrets from where they are kept; they never stand on a command line."""

import os
from collections.abc import Mapping
from pathlib import Path

from contract.error import DenreiError

_MAX_BYTES = 64 * 1024


class SecretError(DenreiError):
    """A secret can't be read from where it should be."""


def read_secrets(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets of `@FILE` and `env:NAME` sources by parameter. Raises SecretError."""
    return {name: _read(name, source) for name, source in sources.items()}


def _read(name: str, source: str) -> str:
    if source.startswith("@"):
        return _read_file(name, Path(source[1:]).expanduser())
    if source.startswith("env:"):
        return _read_environment(name, source.removeprefix("env:"))
    # What was typed may be the secret itself, so it is not repeated.
    message = f"secret {name}: give a source, not the secret: {name}=@FILE or {name}=env:NAME"
    raise SecretError(message)


def _read_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SecretError(f"secret {name}: can't read {path}: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise SecretError(f"secret {name}: {path} is larger than {_MAX_BYTES // 1024} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"secret {name}: {path} is not UTF-8 text") from None
    # Editors and `echo` end files with a line break, which belongs to no secret.
    return text.removesuffix("\n").removesuffix("\r")


def _read_environment(name: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise SecretError(f"secret {name}: there is no environment variable {variable}")
    return value
