"""An SSH server of one's own on a high port of loopback, into which only our own key opens."""

import os
import pwd
import shutil
import subprocess
import time
from getpass import getuser
from pathlib import Path
from typing import Self

from benchmarks.equipment import unpacked
from benchmarks.figure import NotMeasuredError
from lab.redis import free_port

_WITHIN_S = 10.0
_TIED = ("setpriv", "--pdeathsig", "TERM")  # it ends with its owner, however that ends
# Root's sshd wants a user `sshd` and /run/sshd; it gets them where nobody else sees them.
_AS_ROOT = (
    "set -e; mkdir -p /run/sshd; mount --make-rprivate /; "
    'mount --bind "$1" /etc/passwd; shift; exec "$@"'
)


class Sshd:
    """The server, the key that it lets in, and what a client must be told."""

    def __init__(self, directory: Path) -> None:
        """Choose a port; nothing is started yet."""
        self._directory = directory
        self.port = free_port()
        self.user = getuser()
        self.key = directory / "key"

    def __enter__(self) -> Self:
        """Start the server and wait until it listens. Raises NotMeasuredError."""
        server, environment = _server()
        self._directory.mkdir(parents=True)
        for name in ("key", "host_key"):
            self._generate(self._directory / name)
        config = self._directory / "sshd_config"
        config.write_text(self._config())
        self._log = self._directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._prefix(), str(server), "-D", "-e", "-f", str(config)],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._await_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    @property
    def pid(self) -> int:
        """Return the server's process."""
        return self._process.pid

    def _generate(self, path: Path) -> None:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
        subprocess.run(command, check=True)

    def _config(self) -> str:
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self._directory / "host_key",
            "AuthorizedKeysFile": self._directory / "key.pub",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "MaxStartups": "100:30:200",
            "Subsystem": "sftp internal-sftp",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _prefix(self) -> list[str]:
        if os.geteuid() != 0 or _has_user("sshd"):
            return list(_TIED)
        users = self._directory / "passwd"
        line = "sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n"
        users.write_text(Path("/etc/passwd").read_text() + line)
        return [
            "setpriv",
            "--pdeathsig",
            "TERM",
            "unshare",
            "--mount",
            "sh",
            "-c",
            _AS_ROOT,
            "sh",
            str(users),
        ]

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _WITHIN_S
        while "Server listening" not in self._log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() >= deadline:
                said = self._log.read_text(errors="replace").strip()[-300:]
                raise NotMeasuredError(f"sshd does not start: {said}")
            time.sleep(0.05)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _server() -> tuple[Path, dict[str, str]]:
    """Return the system's sshd, or Debian's unpacked, and the environment that it needs."""
    if found := shutil.which("sshd"):
        return Path(found), dict(os.environ)
    place = unpacked("openssh-server", "libwrap0")
    libraries = {str(path.parent) for path in place.rglob("*.so.*")}
    return place / "usr/sbin/sshd", {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(libraries))}
