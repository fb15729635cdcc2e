"""A throw-away Debian with a systemd of its own as PID 1, and the wheel installed in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent
NAME = "denrei-boot"
PYTHON = "3.11"  # Debian 12's
SHARED = Path("/mnt")  # where the box sees the scratch directory
WORKER = "/opt/denrei/bin/denrei-worker"
_CACHE = Path("/var/cache/denrei-tests/boot")
_NEEDED = ("unshare", "nsenter", "mount", "setsid")
_TAKES_S = 300.0


class BoxError(Exception):
    """The box can't be made or does not do what it is asked for; the message is its own."""


def why_not() -> str:
    """Return why there can be no box on this machine, or nothing."""
    if os.geteuid():
        return "only root can make one"
    if missing := [name for name in _NEEDED if not shutil.which(name)]:
        return f"there is no {', '.join(missing)}"
    if not shutil.which("debootstrap") and not shutil.which("apt-get"):
        return "there is neither debootstrap nor apt-get"
    return ""


@dataclass(frozen=True, slots=True)
class Box:
    """A running box. It shares the machine's network."""

    scratch: Path  # what it sees at /mnt

    def try_(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it as root."""
        return _call("systemd-box.sh", "exec", "-n", NAME, *argv)

    def must(self, *argv: str) -> str:
        """Run a command in it and return what it says. Raises BoxError if it fails."""
        done = self.try_(*argv)
        if done.returncode:
            raise BoxError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()[-500:]}")
        return done.stdout.strip()

    def pid_of(self, unit: str) -> str:
        """Return the number of a unit's process, as the box counts; 0 if there is none."""
        return self.must("systemctl", "show", "-p", "MainPID", "--value", unit)


@contextmanager
def booted(scratch: Path) -> Iterator[Box]:
    """Boot a box with the worker installed as a user installs it. Raises BoxError."""
    source = Path(__file__).parents[3]
    dist, wheels = scratch / "dist", scratch / "wheels"
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(source))
    (wheel,) = dist.glob("*.whl")
    for wanted in (str(wheel), "async-timeout"):  # which redis wants on this Python
        _pip(
            "download",
            "-q",
            "-d",
            str(wheels),
            "--only-binary=:all:",
            f"--python-version={PYTHON}",
            wanted,
        )
    up = ("up", "-s", "bookworm", "-p", "python3 python3-venv", "-n", NAME, "-b")
    started = _call("systemd-box.sh", *up, f"{scratch}:{SHARED}")
    try:
        if started.returncode:
            raise BoxError(f"it does not boot: {started.stderr.strip()[-500:]}")
        box = Box(scratch)
        box.must("python3", "-m", "venv", "/opt/denrei")
        install = ("install", "-q", "--disable-pip-version-check", "--no-index", "--find-links")
        box.must("/opt/denrei/bin/pip", *install, f"{SHARED}/wheels", f"{SHARED}/dist/{wheel.name}")
        yield box
    finally:
        _call("systemd-box.sh", "down", "-n", NAME)


def _call(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    _CACHE.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(SCRIPTS / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TAKES_S,
        env={**os.environ, "FRESH_CACHE": str(_CACHE)},
    )


def _pip(verb: str, *arguments: str) -> None:
    _python("-m", "pip", "--disable-pip-version-check", "--no-input", verb, *arguments)


def _python(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=_TAKES_S
    )
    if done.returncode:
        raise BoxError(f"{' '.join(arguments[:3])}: {done.stderr.strip()[-500:]}")
