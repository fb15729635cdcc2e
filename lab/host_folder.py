"""Where a container's host keeps its things: all below one folder, which is named for it."""

from pathlib import Path

from worker.config import Config

INVITATION = "token"  # until the token in it is used


def host_config(folder: Path) -> Config:
    """Give the settings of the host in a folder."""
    return Config(
        path=folder / "etc" / "worker.yaml",
        name=folder.name,
        state=folder / "state",
        root=folder / "root",
    )
