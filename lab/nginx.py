"""A real nginx on a lab host, as small as it can be; where none is installed there is none."""

import os
import shutil
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.certificate import server_pair
from lab.command import Script
from lab.host import LabError

_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
_NAME = "www.lab.test"
_CONFIG = """\
{user}worker_processes 2; pid {home}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    return 204;
  }}
}}
"""
_PROGRAM = """#!/bin/sh
# The machine's nginx, on this lab host's files.
exec {found} -p {home} -c {home}/nginx.conf -e {home}/error.log "$@"
"""
_RESTART = """#!/bin/sh
{program} -s stop
while [ -e {home}/pid ]; do sleep 0.1; done
exec {program}
"""


def find_nginx() -> str | None:
    """Return where the machine has an nginx."""
    return shutil.which("nginx", path=_PLACES)


class Nginx:
    """Runs within `with`, under a host's root; paths are told as the host's own programs see them.

    It ends with this process at the latest.
    """

    certificate, key = "/etc/nginx/tls.crt", "/etc/nginx/tls.key"
    program, restarter = "/usr/sbin/nginx", "/usr/sbin/nginx-restart"

    def __init__(self, root: Path, found: str) -> None:
        """Install it with a first pair; nothing runs yet."""
        self._root = root
        self._home = root / "var/lib/nginx"
        self.port = _free_port()
        self._install(found)
        self.renew()

    def __enter__(self) -> Self:
        """Start it, and wait until it listens. Raises LabError."""
        script = Script(str(self._within(self.program)), {})
        self._service = script.start(self._home / "output", "-g", "daemon off;")
        deadline = time.monotonic() + 10
        while not _listens(self.port):
            if self._service.process.poll() is not None or time.monotonic() > deadline:
                self._service.stop()
                raise LabError(f"nginx did not start: {self._said()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self._service.stop()

    def renew(self) -> None:
        """Put a new pair in place, and tell nobody."""
        server_pair(_NAME).overwrite(self._within(self.key), self._within(self.certificate))

    def _install(self, found: str) -> None:
        for path in (self._home, self._within(self.certificate).parent):
            path.mkdir(parents=True, exist_ok=True)
        self._within(self.program).parent.mkdir(parents=True, exist_ok=True)
        config = _CONFIG.format(
            user="user root; " if os.geteuid() == 0 else "",
            home=self._home,
            port=self.port,
            certificate=self._within(self.certificate),
            key=self._within(self.key),
        )
        (self._home / "nginx.conf").write_text(config)
        program = self._within(self.program)
        scripts = {
            self.program: _PROGRAM.format(found=found, home=self._home),
            self.restarter: _RESTART.format(program=program, home=self._home),
        }
        for name, text in scripts.items():
            self._within(name).write_text(text)
            self._within(name).chmod(0o755)

    def _within(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _said(self) -> str:
        files = (self._home / name for name in ("output", "error.log"))
        return " ".join(file.read_text().strip() for file in files if file.exists())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
