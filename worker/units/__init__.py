"""The systemd units of a host, as they fit where Denrei is installed here."""

import sys
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path

from contract.error import DenreiError
from worker.config import Config
from worker.safe_path import check_program
from worker.spot import UntrustedPathError

COURIER_USER = "denrei"
_PLACES: Mapping[str, str] = {
    "denrei-courier.service": "/etc/systemd/system/denrei-courier.service",
    "denrei-executor.service": "/etc/systemd/system/denrei-executor.service",
    "denrei.sysusers": "/etc/sysusers.d/denrei.conf",
}
_WAKER = "denrei-executor.path"
_WAKER_PLACE = Path("/etc/systemd/system/denrei-executor.path")
_HIDDEN = ("/home", "/root", "/run/user")  # by ProtectHome


class Network(StrEnum):
    """What the executor, and all that its steps start, may reach."""

    ALL = "all"
    LOCAL = "local"  # this host itself
    NONE = "none"


_NETWORK: Mapping[Network, str] = {
    Network.ALL: "",
    Network.LOCAL: "IPAddressDeny=any\nIPAddressAllow=localhost\n",
    Network.NONE: "PrivateNetwork=yes\nIPAddressDeny=any\n",
}


class UnitError(DenreiError):
    """There can be no unit for what is installed here, or it can't be put in place."""


def units(config: Config, network: Network, program: Path | None = None) -> dict[Path, str]:
    """Return the text of each file, and the place that it is for. Raises UnitError."""
    program = program or Path(sys.prefix, "bin", "denrei-worker")
    _check(program)
    words = {
        "worker": _word(program),
        "user": COURIER_USER,
        "config": _word(config.path),
        "inbox": _word(config.inbox),
        "outbox": _word(config.outbox),
        "courier": _word(config.courier),
        "keys": _word(config.sign_key.parent),
        "network": _NETWORK[network],
    }
    made = {Path(place): _filled(name, words) for name, place in _PLACES.items()}
    if config.sleep_after is not None:
        made[_WAKER_PLACE] = _filled(_WAKER, words)
    return made


def started_by_hand(config: Config) -> tuple[str, ...]:
    """Return the names of the units that are to be enabled and started."""
    wakers = (_WAKER,) if config.sleep_after is not None else ()
    return ("denrei-executor", *wakers, "denrei-courier")


def _check(program: Path) -> None:
    """See to it that root can be let run it: it is nobody else's, and the courier gets there."""
    for part in (program, Path(sys.executable), Path(__file__)):
        try:
            check_program(part)
        except UntrustedPathError as error:
            raise UnitError(f"root must not run {part}: {error.strerror}") from None
    if hidden := next((each for each in _HIDDEN if program.is_relative_to(each)), ""):
        raise UnitError(f"{program} is below {hidden}, where the courier may not look; use /opt")


def _word(path: Path) -> str:
    """Return a path as systemd takes it for one word without a specifier."""
    text = str(path)
    if any(letter in text for letter in " \t\n\"'\\%$;"):
        raise UnitError(f"{text!r} can't stand in a unit: it has a space, a quote, %, $, ; or \\")
    return text


def _filled(name: str, words: Mapping[str, str]) -> str:
    text = (resources.files("worker.units") / name).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
