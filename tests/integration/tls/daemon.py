"""A daemon with a certificate, in files and on a port of its own; it is told things by scripts."""

import hashlib
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from contract.probe import Tls
from tests.integration.tls.pair import Pair, put
from worker.observations.tls import observe_tls
from worker.root import Root


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Daemon:
    """Knows its files; `start`, `stop`, `reload` and `restart` are scripts in its home."""

    home: Path
    owner: int  # as whom it runs
    starttls: str = ""
    combined: bool = False  # certificate and key stand in one file
    port: int = field(default_factory=free_port)

    @property
    def certificate(self) -> Path:
        return self.home / ("pair.pem" if self.combined else "tls.crt")

    @property
    def key(self) -> Path:
        return self.certificate if self.combined else self.home / "tls.key"

    @property
    def pairs(self) -> Path:
        """Return the directory of the pair to go back to."""
        return Path(f"{self.home}/pairs/{self.port}{self.certificate}")

    def parameters(self, **others: str | int | bool) -> dict[str, str | int | bool]:
        """Return what `tls/reload` must be told of it."""
        return {
            "certificate": str(self.certificate),
            "key": str(self.key),
            "port": self.port,
            "starttls": self.starttls,
            "reload": str(self.home / "reload"),
            "restart": str(self.home / "restart"),
            "pairs": str(self.home / "pairs"),
            **others,
        }

    def renew(self, pair: Pair) -> None:
        """Put a new pair in place, and tell nobody."""
        if self.combined:
            put(self.certificate, pair.certificate_pem + pair.key_pem, self.owner, 0o600)
            return
        put(self.certificate, pair.certificate_pem, self.owner, 0o644)
        put(self.key, pair.key_pem, self.owner, 0o600)

    def script(self, name: str, text: str) -> None:
        """Write one of its scripts."""
        path = self.home / name
        path.write_text(f"#!/bin/sh\ncd {self.home}\n{text}\n")
        path.chmod(0o755)

    def tell(self, what: str) -> None:
        """Run one of its scripts."""
        said = subprocess.DEVNULL
        done = subprocess.run([self.home / what], stdout=said, check=False, timeout=30)
        assert done.returncode == 0, f"{what} failed: {self.log()}"

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text() if path.exists() else ""

    def served(self) -> str:
        """Return the fingerprint of what it shows now; nothing if it shows nothing."""
        asked = Tls("127.0.0.1", self.port, starttls=self.starttls or None)  # type: ignore[arg-type]
        return str(observe_tls(asked, Root()).get("sha256", ""))

    def pair(self) -> dict[str, tuple[str, int, int]]:
        """Return what its pair is: content, mode and owner of each file."""
        found = {}
        for path in sorted({self.certificate, self.key}):
            stat, content = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.name] = (content, stat.st_mode, stat.st_uid)
        return found
