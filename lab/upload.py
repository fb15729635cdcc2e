"""Uploading, with the trap of the real agent: the certificate is read once and kept.

oms-agent.md section 1: cert, key, proxy and endpoint are read at the first flush after the start
and never again; section 4: what the log and the status file then say. Unlike upstream there is no
growing delay between the attempts, so that a demo sees them; ten chunks are kept, then the oldest
are dropped, as upstream does.
"""

import json
import os
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from lab import client, key_value, message
from lab.places import Places, Workspace

_CHUNKS = 10


@dataclass(frozen=True)
class Configuration:
    """What the agent's class-level "loaded" flag guards upstream."""

    tls: ssl.SSLContext
    endpoint: str
    route: client.Route


class Uploader:
    """Sends the buffered chunks, oldest first."""

    def __init__(self, places: Places, workspace: Workspace) -> None:
        self._places = places
        self._workspace = workspace
        self._loaded: Configuration | None = None
        self._told: set[str] = set()

    def collect(self) -> None:
        """Buffer one more chunk; with ten in the queue the oldest is lost."""
        chunks = self._chunks()
        for lost in chunks[: len(chunks) - _CHUNKS + 1]:
            lost.unlink(missing_ok=True)
        folder = self._workspace.state / "state"
        name = f"out_oms.{time.time_ns()}.buffer"
        (folder / name).write_text(json.dumps({"DataType": "LINUX_SYSLOGS_BLOB", "DataItems": []}))

    def flush(self, skew: int) -> list[str]:
        """Send what is buffered until something fails; give the lines for the log."""
        for chunk in self._chunks():
            began = time.time()
            try:
                answer = self._send(chunk.read_bytes(), skew)
            except (OSError, ValueError) as error:
                self._report(began, None, "Unexpected exception")
                return [f"[error]: Unexpected exception : {type(error).__name__}: {error}"]
            if answer.status != HTTPStatus.OK:
                self._report(began, answer.status, "Retryable exception")
                return self._refusal(answer)
            chunk.unlink(missing_ok=True)
            self._report(began, 200, "Sending success")
        return []

    def _chunks(self) -> list[Path]:
        return sorted((self._workspace.state / "state").glob("out_oms.*.buffer"))

    def _send(self, body: bytes, skew: int) -> client.Answer:
        if self._loaded is None:
            self._loaded = self._load()
        headers = {message.DATE: client.date_header(skew), "Content-Type": "application/json"}
        loaded = self._loaded
        return client.post(loaded.route, loaded.endpoint, body, loaded.tls, headers)

    def _load(self) -> Configuration:
        endpoint = key_value.parse(self._workspace.identity).get("OMS_ENDPOINT", "")
        if not endpoint:
            raise ValueError("OMS_ENDPOINT is missing in omsadmin.conf")
        tls = client.context(self._places.root, self._workspace.certificate, self._workspace.key)
        return Configuration(tls, endpoint, route(self._places))

    def _refusal(self, answer: client.Answer) -> list[str]:
        kind = f"class=Net::HTTP{answer.reason.replace(' ', '')}"
        facts = f"{kind}; code={answer.status}; message={answer.reason}"
        text = f"HTTP Error: (request-id=; {facts}; body={answer.body.decode()};)"
        lines = [] if text in self._told else [f"[error]: {text}"]
        self._told.add(text)
        following = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(time.time() + 30))
        cause = f'error_class="RuntimeError" error="HTTP error: (request-id=; {facts};)"'
        return [
            *lines,
            "[info]: Encountered retryable exception. Will retry sending data later.",
            f"[warn]: temporarily failed to flush the buffer. next_retry={following} {cause}",
        ]

    def _report(self, began: float, status: int | None, text: str) -> None:
        success = "true" if status == HTTPStatus.OK else "false"
        told = {"operation": "ODSIngestion", "success": success, "message": text}
        _replace(self._places.upload_status, json.dumps(told))
        _replace(self._workspace.last_upload, json.dumps({"status": status, "time": began}))


def route(places: Places) -> client.Route:
    """Give the way that E/proxy.conf tells, or E/conf/proxy.conf if only that exists."""
    for path in (places.proxy, places.config / "conf/proxy.conf"):
        if path.exists():
            return client.Route(places.root, path.read_text().strip())
    return client.Route(places.root)


def _replace(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
