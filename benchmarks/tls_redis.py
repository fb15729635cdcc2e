"""A Redis that speaks TLS, and knows a user for each host: the system's, or Debian's unpacked."""

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.equipment import unpacked
from benchmarks.figure import NotMeasuredError
from lab.certificate import server_pair
from lab.redis import free_port

NAME = "broker.example"
_WITHIN_S = 20.0
_TIED = ("setpriv", "--pdeathsig", "TERM")  # it ends with its owner, however that ends
_MINE = "user default on nopass ~* &* +@all\n"  # who measures


@dataclass(frozen=True, slots=True)
class TlsRedis:
    """A server with a port for TLS and one without."""

    pid: int
    port: int
    tls_port: int
    certificate: Path

    def context(self) -> ssl.SSLContext:
        """Return what a client is told: to believe this server's certificate, and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


@contextmanager
def tls_redis(directory: Path, users: str, clients: int) -> Iterator[TlsRedis]:
    """Run a server with the lines of an ACL file. Raises NotMeasuredError where there is none."""
    server, environment = _server()
    directory.mkdir()
    pair = server_pair(NAME)
    key, certificate, acl = (directory / name for name in ("key.pem", "cert.pem", "users.acl"))
    pair.overwrite(key, certificate)
    acl.write_text(_MINE + users)
    port, tls_port, log = free_port(), free_port(), directory / "log"
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "tls-port": tls_port,
        "tls-cert-file": certificate,
        "tls-key-file": key,
        "tls-ca-cert-file": certificate,
        "tls-auth-clients": "no",
        "aclfile": acl,
        "dir": directory,
        "save": '""',
        "maxclients": clients,
        "tcp-backlog": 4096,
    }
    file = directory / "redis.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*_TIED, str(server), str(file)],
            env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        _await_ready(process, log)
        yield TlsRedis(process.pid, port, tls_port, certificate)
    finally:
        process.terminate()
        process.wait(10)


def _await_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while "Ready to accept" not in (said := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() >= deadline:
            raise NotMeasuredError(f"no Redis with TLS: {said.strip()[-300:]}")
        time.sleep(0.02)


def _server() -> tuple[Path, dict[str, str]]:
    if found := shutil.which("redis-server"):
        return Path(found), dict(os.environ)
    place = unpacked("redis-server", "redis-tools", "liblzf1", "libjemalloc2")
    libraries = {str(path.parent) for path in place.rglob("*.so.*")}
    return place / "usr/bin/redis-server", {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(sorted(libraries)),
    }
