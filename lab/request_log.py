"""The cloud's log of requests: one JSON line each, with the status that was answered."""

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "requests.jsonl"
_LARGE = 8 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request as the cloud saw it; `status` 0 means that TLS itself refused the client."""

    time: float
    workspace: str
    path: str
    status: int
    guid: str
    fingerprint: str
    reason: str


class RequestLog:
    """Written by the cloud's process, read by its handle in another one."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE
        self._lock = threading.Lock()

    def append(self, request: Request) -> None:
        """Add one line; a log grown large is put aside as `.1`."""
        line = json.dumps(asdict(request)) + "\n"
        with self._lock:
            if self._path.exists() and self._path.stat().st_size > _LARGE:
                self._path.replace(self._path.with_suffix(".jsonl.1"))
            with self._path.open("a") as file:
                file.write(line)

    def read(self) -> Iterator[Request]:
        """Give the requests, oldest first; a line still being written is left out."""
        if not self._path.exists():
            return
        for line in self._path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield Request(**json.loads(line))
