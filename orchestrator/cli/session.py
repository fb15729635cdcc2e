"""What every command needs: where home is, and what lies in it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from contract.key import Signer
    from orchestrator.home import Home
    from orchestrator.store.store import Store


def home_path() -> Path:
    """Return the home that was asked for: `--home`, else the environment, else ~/.denrei."""
    chosen = _asked("home", "DENREI_HOME")
    return Path(chosen or Path.home() / ".denrei").absolute()


def operator_name() -> str:
    """Return who is to sign: `--as`, else the environment; nothing if the home decides."""
    return _asked("as", "DENREI_OPERATOR")


def open_home() -> "Home":
    """Open the home. Raises HomeError if there is none yet."""
    from orchestrator.home import Home

    return Home.open(home_path(), operator_name())


def open_store() -> "Store":
    """Open the store of the home. Raises HomeError or StoreError."""
    return open_home().open_store()


def operator_key(home: "Home", store: "Store") -> "Signer":
    """Return the key of whoever signs here. Raises PersonError, KeyFileError."""
    from contract.instant import now_ms
    from orchestrator.cli.passphrase import passphrases
    from orchestrator.person import signer_of
    from orchestrator.succession import keyring_in_force

    return signer_of(home, keyring_in_force(home, store), passphrases(), now_ms())


def _asked(option: str, variable: str) -> str:
    context = click.get_current_context(silent=True)
    chosen = context.find_root().meta.get(f"denrei.{option}") if context else None
    return str(chosen or os.environ.get(variable, ""))
