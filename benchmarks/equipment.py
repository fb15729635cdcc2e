"""What only measuring needs, fetched once into the user's cache: never into the project's .venv."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figure import NotMeasuredError

_CHECKOUT = Path(__file__).parents[1]
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q")


def cache() -> Path:
    """Return where it is kept."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = own / "denrei-bench"
    found.mkdir(parents=True, exist_ok=True)
    return found


def fetched(name: str, *packages: str) -> Path:
    """Return a directory with packages in it, to be put on Python's path.

    Raises NotMeasuredError if pip can't get them.
    """
    place = cache() / f"{name}-py{sys.version_info.major}.{sys.version_info.minor}"
    with _making(place) as is_missing:
        if is_missing:
            _pip(sys.executable, "--target", str(place), *packages)
    return place


def environment(name: str, *packages: str) -> Path:
    """Return a venv of its own with packages in it. Raises NotMeasuredError if pip can't."""
    place = cache() / f"{name}-venv"
    with _making(place) as is_missing:
        if is_missing:
            subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
            _pip(str(place / "bin/python"), *packages)
    return place


def host_environment() -> Path:
    """Return a venv with what a host installs, and this checkout: no `rich`, no database.

    Raises NotMeasuredError if pip can't make it.
    """
    lock = _CHECKOUT / "requirements/worker.lock"
    told = lock.read_bytes() + (_CHECKOUT / "pyproject.toml").read_bytes() + bytes(_CHECKOUT)
    stamp = hashlib.sha256(told).hexdigest()[:12]
    place = environment(f"host-{stamp}", "--require-hashes", "-r", str(lock))
    with _making(place / "checkout") as is_missing:
        if is_missing:
            _pip(str(place / "bin/python"), "--no-deps", "-e", str(_CHECKOUT))
    return place


@contextmanager
def _making(place: Path) -> Iterator[bool]:
    """Tell whether a place is still to be made; it counts as made once the block is through."""
    stamp = place.with_name(f"{place.name}.made")
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not stamp.exists()
        stamp.touch()


def _pip(python: str, *arguments: str) -> None:
    done = subprocess.run(
        [python, *_PIP, *arguments], capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode:
        raise NotMeasuredError(f"pip can't install {arguments[-1]}: {done.stderr.strip()[-500:]}")


def unpacked(*packages: str) -> Path:
    """Return the directory of some Debian packages, fetched and unpacked without being root.

    Raises NotMeasuredError where apt can't.
    """
    place = cache() / packages[0]
    with _making(place) as is_missing:
        if is_missing:
            place.mkdir(exist_ok=True)
            script = (
                'cd "$1" && shift && apt-get download -qq "$@" && '
                'for each in ./*.deb; do dpkg-deb -x "$each" . || exit 1; done'
            )
            done = subprocess.run(
                ["/bin/sh", "-c", script, "sh", str(place), *packages],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                told = done.stderr.strip()[-300:]
                raise NotMeasuredError(f"apt can't fetch {packages[0]}: {told}")
    return place
