"""A real PostgreSQL of one's own on loopback, with the settings that it comes with."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.redis import free_port

PLACES = ("usr/lib/postgresql/*/bin", "usr/local/pgsql/bin")  # Debian keeps it off PATH
_NOBODY = 65534  # the server refuses to be root's
_AS_NOBODY = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")


class PostgresqlError(Exception):
    """There is no PostgreSQL on this machine, or it did not come up."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server's programs are, and libraries that came with them."""

    folder: Path
    libraries: Sequence[Path] = ()

    @classmethod
    def find(cls) -> "Programs":
        """Return the system's. Raises PostgresqlError."""
        on_path = shutil.which("initdb")
        found = [Path(on_path).resolve().parent] if on_path else []
        for place in PLACES:
            found += sorted(Path("/").glob(place))
        if not found:
            raise PostgresqlError("no PostgreSQL server here (Debian: apt install postgresql)")
        return cls(found[-1])

    def run(self, name: str, *arguments: str) -> None:
        """Run one of them to its end. Raises PostgresqlError."""
        as_owner = _AS_NOBODY if os.geteuid() == 0 else ()
        libraries = {"LD_LIBRARY_PATH": ":".join(map(str, self.libraries))}
        done = subprocess.run(
            [*as_owner, str(self.folder / name), *arguments],
            cwd="/",
            env=os.environ | (libraries if self.libraries else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PostgresqlError(f"{name} failed: {done.stderr.strip()[-500:]}")


@contextmanager
def postgresql(programs: Programs) -> Iterator[str]:
    """Give the URL of an empty database of a new server. Raises PostgresqlError."""
    with TemporaryDirectory(prefix="denrei-postgresql-") as name:
        directory, port = Path(name), free_port()
        if os.geteuid() == 0:
            os.chown(directory, _NOBODY, _NOBODY)
        data, log = str(directory / "data"), str(directory / "log")
        programs.run("initdb", "-D", data, "-A", "trust", "-U", "denrei")
        options = f"-p {port} -h 127.0.0.1 -k {directory}"
        programs.run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql+psycopg://denrei@127.0.0.1:{port}/postgres"
        finally:
            programs.run("pg_ctl", "-D", data, "-w", "-m", "fast", "stop")
