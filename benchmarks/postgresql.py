"""A PostgreSQL server of one's own on loopback, with the settings that it comes with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.equipment import fetched
from benchmarks.figure import NotMeasuredError
from lab.redis import free_port

_DRIVER = "psycopg[binary]"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin")
_NOBODY = 65534  # the server refuses to be root's


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """Give the URL of an empty database. Raises NotMeasuredError where there is no server."""
    tools, driver = _tools(), fetched("psycopg", _DRIVER)
    directory.mkdir()
    directory.chmod(0o755)
    directory.parent.chmod(0o755)
    data, port = directory / "data", free_port()
    as_owner: list[str] = []
    if os.geteuid() == 0:
        os.chown(directory, _NOBODY, _NOBODY)
        as_owner = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    _run(*as_owner, str(tools / "initdb"), "-D", str(data), "-A", "trust", "-U", "denrei")
    options = f"-p {port} -h 127.0.0.1 -k {directory}"
    control = [*as_owner, str(tools / "pg_ctl"), "-D", str(data), "-w"]
    _run(*control, "-l", str(directory / "log"), "-o", options, "start")
    try:
        with _importable(driver):
            yield f"postgresql+psycopg://denrei@127.0.0.1:{port}/postgres"
    finally:
        _run(*control, "-m", "fast", "stop")


def _tools() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    for pattern in _PLACES:
        found += sorted(Path("/").glob(f"{pattern.lstrip('/')}"))
    if not found:
        raise NotMeasuredError("no PostgreSQL server here (Debian: apt install postgresql)")
    return found[-1]


@contextmanager
def _importable(driver: Path) -> Iterator[None]:
    """Let this process and those that it starts find the driver."""
    before = os.environ.get("PYTHONPATH")
    sys.path.append(str(driver))
    os.environ["PYTHONPATH"] = str(driver)
    try:
        yield
    finally:
        sys.path.remove(str(driver))
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _run(*command: str) -> None:
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotMeasuredError(f"{Path(command[-1]).name} failed: {done.stderr.strip()[-500:]}")
