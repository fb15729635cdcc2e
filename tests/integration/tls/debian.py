"""Programs of Debian's packages: from PATH, else fetched and unpacked, without being root."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


class AptError(Exception):
    """apt-get did not do what it was asked for; the message is its own."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program and the libraries that came with it."""

    path: Path
    libraries: tuple[Path, ...] = ()

    @property
    def environment(self) -> str:
        """Return the words that a shell puts before the program."""
        return f"LD_LIBRARY_PATH={':'.join(map(str, self.libraries))} " if self.libraries else ""


def program(name: str, package: str, *, places: Sequence[str] = ("usr/sbin", "usr/bin")) -> Program:
    """Return a program, installed or unpacked from its package.

    Without it the test fails; it is skipped only where there is no apt, outside of CI.
    """
    if found := shutil.which(name) or _below(Path("/"), name, places):
        return Program(Path(found))
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        why = f"no {name} on PATH, and no apt-get and dpkg-deb to fetch Debian's package {package}"
        if os.environ.get("CI") or os.environ.get("DENREI_CI"):
            pytest.fail(why)
        pytest.skip(why)
    unpacked = _unpacked(package)
    if not (path := _below(unpacked, name, places)):
        pytest.fail(f"Debian's package {package} has no {name} in {', '.join(places)}")
    libraries = {each.parent for ending in ("so", "so.*") for each in unpacked.rglob(f"*.{ending}")}
    return Program(path, tuple(sorted(libraries)))


def _below(root: Path, name: str, places: Sequence[str]) -> Path | None:
    found = (path for place in places for path in sorted(root.glob(f"{place}/{name}")))
    return next(found, None)


def _unpacked(package: str) -> Path:
    """Return the directory of a package and of what it needs, filled by whoever comes first."""
    cache = _cache()
    place = cache / package
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _fill(place, package)
    return place


def _cache() -> Path:
    """Return where to put what is fetched: root's daemons may run as others, barred from /root."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = (Path("/var/cache") if os.geteuid() == 0 else own) / "denrei-tests"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _fill(place: Path, package: str) -> None:
    """Fetch a package by the machine's own lists, or by new ones where those are too old."""
    try:
        _fetch(place, package, has_lists=any(Path("/var/lib/apt/lists").glob("*_Packages*")))
    except AptError:
        try:
            _fetch(place, package, has_lists=False)
        except AptError as error:
            pytest.fail(str(error))


def _fetch(place: Path, package: str, *, has_lists: bool) -> None:
    """Download what is not installed of a package and its dependencies, and unpack all of it."""
    with tempfile.TemporaryDirectory(dir=place.parent) as directory:
        scratch = Path(directory)
        options = _options(scratch, has_lists=has_lists)
        wanted = ("install", "-y", "--print-uris", "--no-install-recommends", "-qq")
        # One `'uri' file size hash` in each line; what is installed already is not among them.
        found = _apt(*wanted, *options, package, cwd=scratch).splitlines()
        names = {line.split()[1].partition("_")[0] for line in found} | {package}
        _apt("download", "-qq", *options, *sorted(names), cwd=scratch)
        unpacked = scratch / "unpacked"
        for archive in sorted(scratch.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
        unpacked.chmod(0o755)
        unpacked.rename(place)


def _options(scratch: Path, *, has_lists: bool) -> list[str]:
    """Return apt's options: its own lists where they are there, else a private state."""
    options = ["-o", "Debug::NoLocking=1", "-o", f"Dir::Cache={_directory(scratch / 'cache')}"]
    if not has_lists:
        options += ["-o", f"Dir::State::lists={_directory(scratch / 'lists')}"]
        _apt("update", "-qq", *options, cwd=scratch)
    return options


def _directory(path: Path) -> Path:
    for each in (path / "partial", path / "archives/partial"):
        each.mkdir(parents=True)
    return path


def _apt(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        ["apt-get", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise AptError(f"apt-get {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout
