"""ROOT/etc/lab.conf: how one lab host behaves; nothing of it exists on a real host."""

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import key_value

_FILE = "etc/lab.conf"


@dataclass(frozen=True)
class Settings:
    """What the stand-ins of one host are told.

    `pace` is what a second of upstream's own waiting lasts here, and the time between two uploads.
    `days_left` and `allow_second` are used up by the next onboarding.
    """

    pace: float = 0.2
    days_left: int = 365
    allow_second: bool = False
    agent: str = "good"
    """`good`, `broken` (cannot start) or `stubborn` (ignores SIGTERM)."""
    manager: str = "sysv"
    """`sysv` or `systemd`: how the daemon is started, and where its unit lies."""
    dsc_exit: int = 0
    """33 or 34: DSC fails when the agent is already onboarded and started."""
    python: str = "present"
    logger: str = "alive"
    clock_skew: int = 0
    """Seconds by which this host's clock is wrong in what it tells the cloud."""
    owner: str = ""
    """`<pid>:<start ticks>`; the daemons end themselves when that process is gone."""


_READERS: dict[object, Callable[[str], object]] = {
    float: float,
    int: int,
    bool: lambda text: text == "True",
    str: str,
}


def exists(root: Path) -> bool:
    """Say whether the lab host is still there."""
    return (root / _FILE).exists()


def read(root: Path) -> Settings:
    """Read the host's settings; what is not in the file has its default."""
    told = key_value.parse(root / _FILE)
    readers = {field.name: _READERS[field.type] for field in dataclasses.fields(Settings)}
    return Settings(**{name: readers[name](text) for name, text in told.items()})  # type: ignore[arg-type]


def write(root: Path, settings: Settings) -> None:
    """Replace the host's settings at once, since a running daemon reads them at every upload."""
    path = root / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {name: str(value) for name, value in dataclasses.asdict(settings).items()}
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(key_value.render(values))
    fresh.replace(path)


def use_up(root: Path) -> Settings:
    """Give the settings and take out what holds for one onboarding only."""
    settings = read(root)
    write(root, dataclasses.replace(settings, days_left=365, allow_second=False))
    return settings
