"""The stand-in for Microsoft's cloud: a process of its own, and the handle that starts it.

`Cloud` keeps everything in one directory (authority, workspaces, registered agents, request log),
so a cloud that is stopped and started again goes on where it was, at the same port.
"""

import argparse
import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lab import certificate, message, registry
from lab.endpoint import Endpoint
from lab.request_log import Request, RequestLog

_READY = "cloud.json"
_BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from lab.cloud import main; main()"


class CloudError(Exception):
    """The cloud could not be started."""


@dataclass(frozen=True)
class Workspace:
    """A workspace's id and its shared key (base64 of 64 random bytes)."""

    id: str
    key: str


class Cloud:
    """A cloud in `directory`; `start` it, or look at one that another process started."""

    def __init__(self, directory: Path, domain: str = "lab.test", first_port: int = 0) -> None:
        self.directory = directory.absolute()
        self.domain = domain
        self._first_port = first_port  # 0: any that is free
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def authority(self) -> Path:
        """The certificate against which clients verify the cloud."""
        return self.directory / "ca.pem"

    @property
    def port(self) -> int:
        """The port, which stays the same over restarts."""
        return int(json.loads((self.directory / _READY).read_text())["port"])

    @property
    def tld(self) -> str:
        """What `omsadmin.sh -d` takes; the service of a workspace is at <ws>.oms.<tld>."""
        return f"{self.domain}:{self.port}"

    def start(self, within: float = 15.0) -> None:
        """Start the process and wait until it listens; it ends with this process at the latest."""
        self.directory.mkdir(parents=True, exist_ok=True)
        ready = self.directory / _READY
        port = self.port if ready.exists() else self._first_port
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-I", "-c", _BOOT, str(Path(__file__).parents[1])]
        command += [str(self.directory), "--domain", self.domain, "--port", str(port), "--tied"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        deadline = time.monotonic() + within
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise CloudError(f"the lab's cloud in {self.directory} did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process; connections are refused from now on."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.communicate(timeout=10)
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def workspace(self) -> Workspace:
        """Make a new workspace."""
        key = base64.b64encode(secrets.token_bytes(64)).decode()
        made = Workspace(str(uuid.uuid4()), key)
        self.directory.mkdir(parents=True, exist_ok=True)
        registry.add_workspace(self.directory, made.id, made.key)
        return made

    def ask_for_renewal(self, workspace: str) -> None:
        """Have the agents of a workspace asked, in the next answer, for a new certificate."""
        registry.ask_for_renewal(self.directory, workspace)

    def requests(self, since: float = 0.0, path: str = "") -> list[Request]:
        """Give the logged requests, oldest first; `path` is one of those in `lab.message`."""
        return [
            request
            for request in RequestLog(self.directory).read()
            if request.time >= since and path in ("", request.path)
        ]

    def last_upload(self, workspace: str, fingerprint: str = "") -> Request | None:
        """Give the newest upload to a workspace, if wanted only with one certificate (sha256)."""
        found = [
            request
            for request in self.requests(path=message.UPLOAD)
            if request.workspace == workspace and fingerprint in ("", request.fingerprint)
        ]
        return found[-1] if found else None


def main() -> None:
    """Run a cloud until SIGTERM, or with `--tied` until standard input ends."""
    parser = argparse.ArgumentParser(description="The lab's stand-in for the OMS cloud.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--domain", default="lab.test")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tied", action="store_true")
    told = parser.parse_args()
    told.directory.mkdir(parents=True, exist_ok=True)
    if not (told.directory / "server.pem").exists():
        certificate.make_authority(told.directory, told.domain)
    endpoint = Endpoint(told.directory, told.port)
    if told.tied:
        threading.Thread(target=_end_with_input, daemon=True).start()
    signal.signal(signal.SIGTERM, _end)
    _announce(told.directory / _READY, endpoint.server_address[1])
    with contextlib.suppress(KeyboardInterrupt):
        endpoint.serve_forever(poll_interval=0.1)


def _announce(path: Path, port: object) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"port": port}))
    fresh.replace(path)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _end(_number: int, _frame: object) -> None:
    os._exit(0)
