"""Passphrases of key files: from the file that DENREI_PASSPHRASE_FILE names, else the terminal.

A passphrase stands on no command line and in no variable. Each file's is asked for once.
"""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from contract.key import Passphrase

VARIABLE = "DENREI_PASSPHRASE_FILE"

_LONGEST = 1000  # bytes; the library takes 1023
_META = "denrei.passphrases"


def passphrases() -> "Passphrase":
    """Return what gives the passphrase of a key file, and remembers it while the command runs."""
    known: dict[Path, bytes] = click.get_current_context().find_root().meta.setdefault(_META, {})

    def passphrase(path: Path) -> bytes:
        place = path.resolve()
        if place not in known:
            known[place] = _from_file() or _asked(path)
        return known[place]

    return passphrase


def new_passphrase(path: Path) -> bytes:
    """Return the passphrase that a key file is to get. Raises PassphraseError."""
    from contract.key import PassphraseError
    from orchestrator.key_file import SHORTEST

    given = _from_file() or _asked(path, new=True)
    if len(given) < SHORTEST:
        raise PassphraseError(f"a passphrase has at least {SHORTEST} characters")
    return given


def same_passphrase(new: Path, old: Path) -> None:
    """Do not ask for the passphrase of a new key file that has an old one's."""
    known = click.get_current_context().find_root().meta.get(_META, {})
    if old.resolve() in known:
        known[new.resolve()] = known[old.resolve()]


def _asked(path: Path, *, new: bool = False) -> bytes:
    from contract.key import PassphraseError

    if not _has_terminal():
        what = f"a passphrase for {path} is wanted" if new else f"{path} has a passphrase"
        message = f"{what}, and there is no terminal to ask at; put it into a file of mode 0600"
        raise PassphraseError(f"{message} and name that in {VARIABLE}")
    text: str = click.prompt(
        f"{'New passphrase' if new else 'Passphrase'} for {path}",
        hide_input=True,
        confirmation_prompt=new,
        err=True,
    )
    return _bounded(text.encode("utf-8", "surrogateescape"))


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _from_file() -> bytes:
    """Return the first line of the file; nothing if none is named. Raises PassphraseError."""
    from contract.key import PassphraseError

    name = os.environ.get(VARIABLE, "")
    if not name:
        return b""
    try:
        with Path(name).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            line = file.readline(_LONGEST + 2).removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        message = f"can't read {name}, named in {VARIABLE}: {error.strerror}"
        raise PassphraseError(message) from None
    if stat.S_IMODE(mode) & 0o077:
        raise PassphraseError(f"{name} can be read by others; run: chmod 600 {name}")
    if not line:
        raise PassphraseError(f"the first line of {name}, named in {VARIABLE}, is empty")
    return _bounded(line)


def _bounded(passphrase: bytes) -> bytes:
    from contract.key import PassphraseError

    if len(passphrase) > _LONGEST:
        raise PassphraseError(f"a passphrase has at most {_LONGEST} bytes")
    return passphrase
