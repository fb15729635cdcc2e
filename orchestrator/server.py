"""The server: keeps the orchestrator's services running, each a process of its own."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from orchestrator.heartbeat import SUPERVISOR
from orchestrator.store.record import ServiceName

_LOOK_S = 0.2
_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 30.0
_PROVEN_S = 60.0  # after running for so long a service's next death is a new story
_PATIENCE_S = 15.0  # for an orderly end

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Child:
    """One service's process, or when to start it again."""

    name: ServiceName
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    pause_s: float = _FIRST_PAUSE_S


class Server:
    """Starts services as child processes, starts dead ones again, and stops them all."""

    def __init__(
        self, services: Sequence[ServiceName], command: Callable[[ServiceName], list[str]]
    ) -> None:
        """Run these services; `command` says how each is started."""
        self._children = [_Child(name) for name in services]
        self._command = command
        self._stop = threading.Event()

    def run(self) -> None:
        """Keep the services running until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            while not self._stop.is_set():
                for child in self._children:
                    self._look_after(child)
                self._stop.wait(_LOOK_S)
        finally:
            self._end()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        if now - child.started > _PROVEN_S:
            child.pause_s = _FIRST_PAUSE_S
        _log.error("service_died", service=child.name, code=code, again_in_s=child.pause_s)
        child.process = None
        child.start_at = now + child.pause_s
        child.pause_s = min(child.pause_s * 2, _LAST_PAUSE_S)

    def _start(self, child: _Child) -> None:
        environment = {**os.environ, SUPERVISOR: str(os.getpid())}
        # A session of its own: Ctrl-C reaches the server alone, which then ends its children.
        child.process = subprocess.Popen(
            self._command(child.name),
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        child.started = time.monotonic()
        _log.info("service_started", service=child.name, pid=child.process.pid)

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + _PATIENCE_S
        for process in running:
            try:
                process.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _log.info("server_stopped")
