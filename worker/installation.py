"""Puts the units of a host in place: the courier's user, the files, and what is whose."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path

from worker.config import Config
from worker.handover import CourierUser, hand_over
from worker.liveness import holder
from worker.safe_path import find
from worker.units import COURIER_USER, UnitError

_READABLE = 0o644
_PATIENCE_S = 60.0
_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def install(config: Config, units: Mapping[Path, str]) -> None:
    """Write the files, make the user, hand over what is the courier's, and tell systemd.

    Doing it again brings all of that up to date. Raises DenreiError.
    """
    if os.geteuid():
        raise UnitError("only root can install units; without --install they are printed")
    for process, lock in (("courier", config.courier_lock), ("executor", config.executor_lock)):
        if holder(lock):
            raise UnitError(f"the {process} is running; stop it first")
    for path, text in units.items():
        _write(path, text)
    _tell("systemd-sysusers", *(str(path) for path in units if "sysusers" in path.parts[-2]))
    hand_over(config, _courier_user())
    _tell("systemctl", "daemon-reload")


def _write(path: Path, text: str) -> None:
    try:
        with find(path, make=0o755) as place, place.beside(f".{path.name}.new") as fresh:
            with os.fdopen(fresh.create(), "w") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), _READABLE)
                os.fsync(file.fileno())
            fresh.replace(place)
    except OSError as error:
        raise UnitError(f"can't write {path}: {error.strerror}") from None


def _tell(*argv: str) -> None:
    command = " ".join(argv)
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_PATIENCE_S, env=_PATH
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnitError(f"can't run `{command}`: {error}") from None
    if done.returncode:
        raise UnitError(f"`{command}` failed: {done.stderr.strip() or done.returncode}")


def _courier_user() -> CourierUser:
    try:
        found = pwd.getpwnam(COURIER_USER)
    except KeyError:
        raise UnitError(f"there is no user {COURIER_USER!r}, which sysusers should make") from None
    return CourierUser(found.pw_uid, found.pw_gid)
