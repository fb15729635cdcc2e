"""Debian's redis-server, which speaks TLS and demands a certificate of whoever comes."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.broker import BrokerFiles
from lab.redis import free_port
from tests.integration.tls.debian import program
from tests.waiting import eventually


@contextmanager
def tls_redis(folder: Path, files: BrokerFiles) -> Iterator[int]:
    """Run a Redis that has no other port than that of TLS; give the port."""
    server = program("redis-server", "redis-server", places=("usr/bin",))
    port, log = free_port(), folder / "redis.log"
    folder.mkdir(exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": "0",
        "tls-port": str(port),
        "dir": str(folder),
        "tls-ca-cert-file": files.ca,
        "tls-cert-file": files.cert,
        "tls-key-file": files.key,
        "appendonly": "yes",
        "tls-auth-clients": "yes",
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    libraries = ":".join(map(str, server.libraries))
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [server.path, *words],
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
            stdout=sink,
            stderr=sink,
        )
    try:
        eventually(lambda: "Ready to accept" in log.read_text(), what=f"Redis is up, see {log}")
        yield port
    finally:
        process.terminate()
        process.wait(10)
