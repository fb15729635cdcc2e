"""The orchestrator's processes, one at a time: dispatcher, recorder, registrar, beat."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog

from contract.error import DenreiError
from contract.names import ENROLMENTS_QUEUE, REPORTS_QUEUE
from contract.publisher import Publisher
from orchestrator.admitting import Admitting
from orchestrator.attendance import Attendance
from orchestrator.beat import Beat
from orchestrator.dispatch import Dispatcher
from orchestrator.firing import Trigger
from orchestrator.heartbeat import Heartbeat
from orchestrator.home import Home
from orchestrator.intake import Intake
from orchestrator.pulse import Pulse
from orchestrator.recorder import Recorder
from orchestrator.recording import Recording
from orchestrator.registrar import Registrar
from orchestrator.store.record import ServiceName
from orchestrator.store.store import Store
from orchestrator.verifier import Verifier

_LETTERS, _REQUESTS = 2000, 100  # that are taken out of a queue at a time

_log = structlog.get_logger(__name__)


class ServiceError(DenreiError):
    """A service can't start, or gave up."""


def run_service(name: ServiceName, home: Home) -> None:
    """Be one service of a home until SIGTERM or SIGINT.

    Raises DenreiError if it can't start, or gives up.
    """
    with _only_one(name, home), home.open_store() as store:
        _log.info("service_ready", service=name)
        try:
            _SERVICES[name](home, store)
        finally:
            _log.info("service_stopped", service=name)


def check_free(names: Sequence[ServiceName], home: Home) -> None:
    """See to it that none of these services is running already. Raises ServiceError."""
    for name in names:
        with _only_one(name, home):
            pass


def _dispatch(home: Home, store: Store) -> None:
    publisher = Publisher(home.wire)
    dispatcher = Dispatcher(store, publisher, home.presence_ms)
    with _heartbeat(ServiceName.DISPATCHER, store, lambda: dispatcher.detail):
        dispatcher.run(_stop_by_signal())
    publisher.close()


def _record(home: Home, store: Store) -> None:
    pulse = Pulse(home.wire, REPORTS_QUEUE)
    attendance, verifier = Attendance(store), Verifier()
    recorder = Recorder(store, home.recorder_key(), verifier)
    recording = Recording(recorder, home.wire, attendance)
    intake = Intake(home.wire, REPORTS_QUEUE, _LETTERS, recording.take)
    with _heartbeat(ServiceName.RECORDER, store, pulse.probe), attendance, verifier:
        intake.run(_stop_by_signal())


def _register(home: Home, store: Store) -> None:
    pulse = Pulse(home.wire, ENROLMENTS_QUEUE)
    admitting = Admitting(Registrar(home, store, home.registrar_key()), home.wire)
    intake = Intake(home.wire, ENROLMENTS_QUEUE, _REQUESTS, admitting.take)
    admitting.tidy()
    with _heartbeat(ServiceName.REGISTRAR, store, pulse.probe):
        intake.run(_stop_by_signal())


def _beat(home: Home, store: Store) -> None:
    beat = Beat(home.schedules, store, Trigger(home, store, home.beat_key()))
    with _heartbeat(ServiceName.BEAT, store, lambda: beat.detail):
        beat.run(_stop_by_signal())


_SERVICES: Mapping[ServiceName, Callable[[Home, Store], None]] = {
    ServiceName.DISPATCHER: _dispatch,
    ServiceName.RECORDER: _record,
    ServiceName.REGISTRAR: _register,
    ServiceName.BEAT: _beat,
}


def _stop_by_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def _heartbeat(name: ServiceName, store: Store, probe: Callable[[], str]) -> Iterator[None]:
    heartbeat = Heartbeat(name, store, probe)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()


@contextmanager
def _only_one(name: ServiceName, home: Home) -> Iterator[None]:
    """Hold the service's lock: two of a kind would do everything twice."""
    path = home.path / f"{name.value}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServiceError(f"can't write {path}: {error.strerror}") from None
    try:
        _lock(lock, name, home)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, name: ServiceName, home: Home) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ServiceError(f"a {name} is running in {home.path} already") from None
