"""The sign of life that a service leaves in the store every few seconds."""

import os
import signal
import threading
from collections.abc import Callable

import structlog

from contract.instant import now_ms
from orchestrator.store.record import Service, ServiceName
from orchestrator.store.store import Store, StoreError

PERIOD_S = 2.0
SUPERVISOR = "DENREI_SUPERVISOR"  # the pid of the server that started this process

_log = structlog.get_logger(__name__)


class Heartbeat(threading.Thread):
    """Leaves signs of life; ends the process when the server that started it is gone."""

    def __init__(self, name: ServiceName, store: Store, probe: Callable[[], str]) -> None:
        """Ask `probe` each time what hinders the service."""
        super().__init__(name="heartbeat", daemon=True)
        self._service = name
        self._store = store
        self._probe = probe
        self._end = threading.Event()
        self._started_at = now_ms()
        self._supervisor = int(os.environ.get(SUPERVISOR, "0"))

    def run(self) -> None:
        """Beat until the end."""
        while True:
            self._beat()
            if self._end.wait(PERIOD_S):
                break
            if self._supervisor and os.getppid() != self._supervisor:
                _log.warning("server_gone")
                os.kill(os.getpid(), signal.SIGTERM)

    def stop(self) -> None:
        """Stop beating, and take the sign of life away: this is an orderly end."""
        self._end.set()
        self.join(timeout=PERIOD_S * 5)
        try:
            self._store.services.leave(self._service, os.getpid())
        except StoreError as error:
            _log.warning("sign_of_life_left", reason=str(error))

    def _beat(self) -> None:
        beat = Service(
            name=self._service,
            pid=os.getpid(),
            started_at=self._started_at,
            beat_at=now_ms(),
            detail=self._probe(),
        )
        try:
            self._store.services.beat(beat)
        except StoreError as error:
            _log.warning("no_sign_of_life", reason=str(error))
