"""The doorbell: whoever leaves letters for hosts wakes the dispatcher, and nobody else does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from contract.instant import now_ms
from contract.outcome import HostRunState
from orchestrator.dispatch import Dispatcher
from orchestrator.ping import send_ping
from orchestrator.store.record import Service, ServiceName
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.waiting import eventually

Deed = Callable[[House], object]

AGES_S = 60.0


def submit_and_cancel(house: House) -> None:
    house.cancel(house.submit())


def approve(house: House) -> None:
    house.store.approvals.add([])


def ping(house: House) -> None:
    (host,) = house.store.hosts.all()
    send_ping(host, "alice", house.home.operator_key(), house.store)


def label(house: House) -> None:
    house.store.hosts.label("web1", {"env": "test"}, b"an admission", now_ms())


def look(house: House) -> None:
    house.store.presences.count_anew(now_ms())


def live(house: House) -> None:
    house.store.services.beat(
        Service(name=ServiceName.BEAT, pid=1, started_at=now_ms(), beat_at=now_ms(), detail="")
    )


@contextmanager
def listening(house: House) -> Iterator[Callable[[], bool]]:
    """Give what tells whether somebody rang since the last time."""
    with house.store.doorbell() as doorbell:
        yield lambda: doorbell.wait(0, threading.Event())


@pytest.mark.parametrize("deed", [House.submit, submit_and_cancel, approve, ping, label])
def test_doorbell_letters_are_left_for_a_host_rings(house: House, deed: Deed) -> None:
    with listening(house) as is_rung:
        deed(house)
        assert is_rung()
        assert not is_rung()


@pytest.mark.parametrize("deed", [look, live])
def test_doorbell_other_commit_does_not_ring(house: House, deed: Deed) -> None:
    with listening(house) as is_rung:
        deed(house)
        assert not is_rung()


def test_doorbell_nobody_listens_hinders_no_submission(house: House) -> None:
    house.store.doorbell().close()
    run = house.submit()
    assert house.state(run) is HostRunState.QUEUED


def test_doorbell_place_is_taken_by_a_directory_hinders_nobody(house: House) -> None:
    bell = house.home.path / "store.db-bell"
    bell.mkdir()
    (bell / "something").touch()
    with listening(house) as is_rung:
        house.submit()
        assert not is_rung()


def test_dispatcher_long_without_a_look_is_woken_by_a_submission(
    live_house: House, dispatcher: Dispatcher, web1: QueueReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it would sleep, what is submitted goes out."""
    monkeypatch.setattr("orchestrator.dispatch._IDLE_S", AGES_S)
    stop = threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=(stop,))
    thread.start()
    try:
        live_house.submit()
        eventually(web1.take, within=AGES_S / 4)
        live_house.submit()
        eventually(web1.take, within=AGES_S / 4)
    finally:
        stop.set()
        live_house.submit()  # wakes it up to see that it is to stop
        thread.join(timeout=20)
