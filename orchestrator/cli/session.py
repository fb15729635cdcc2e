"""What every command needs: where home is, and what lies in it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.home import Home
    from orchestrator.store.store import Store


def home_path() -> Path:
    """Return the home that was asked for: `--home`, else the environment, else ~/.denrei."""
    context = click.get_current_context(silent=True)
    chosen = context.find_root().meta.get("denrei.home") if context else None
    return Path(chosen or os.environ.get("DENREI_HOME") or Path.home() / ".denrei").absolute()


def open_home() -> "Home":
    """Open the home. Raises HomeError if there is none yet."""
    from orchestrator.home import Home

    return Home.open(home_path())


def open_store() -> "Store":
    """Open the store of the home. Raises HomeError or StoreError."""
    return open_home().open_store()
