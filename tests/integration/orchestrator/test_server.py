"""The server as people start it: `denrei server`, with its services as processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.order import Acknowledgement, decode
from contract.outcome import HostRunState, StepOutcome
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.health import server_trouble
from orchestrator.store.record import ServiceName
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.signing_host import payload_of
from tests.waiting import eventually

SCRIPT = Path(sys.executable).with_name("denrei")
ALL = set(ServiceName)


@contextmanager
def server(house: House, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start `denrei server` and wait until all its services are well."""
    process = start(house, "server", *options)
    try:
        wanted = ALL if "--beat" in options else ALL - {ServiceName.BEAT}
        eventually(lambda: set(pids(house)) == wanted, within=20)
        eventually(lambda: not trouble(house))
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def start(house: House, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SCRIPT, "--home", house.home.path, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def pids(house: House) -> dict[ServiceName, int]:
    return {service.name: service.pid for service in house.store.services.all()}


def is_hindered(house: House, name: ServiceName) -> bool:
    service = house.store.services.get(name)
    return service is not None and bool(service.detail)


def has_new_pid(house: House, name: ServiceName, old: int) -> bool:
    return pids(house)[name] != old


def trouble(house: House) -> list[str]:
    return server_trouble(house.store, now_ms())


def lives(pid: int) -> bool:
    """Tell a process from none, and from one that has ended and that nobody has asked about yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_server_carries_an_order_out_and_its_report_back(live_house: House) -> None:
    broker, host = live_house.home.broker, live_house.hosts["web1"]
    publisher = Publisher(broker)
    with server(live_house), QueueReader(broker, host_queue("web1")) as queue:
        run = live_house.submit()
        ((task, order),) = eventually(queue.take)
        assert (task, order) == (DELIVER_TASK, live_house.order(run))
        for letter in (
            b"nobody's",
            host.receipt(order, HostRunState.RUNNING),
            host.report(order, StepOutcome.FAILED),
        ):
            publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)
        eventually(lambda: live_house.state(run) is HostRunState.FAILED)
        ((_, acknowledgement),) = eventually(queue.take)
        key = live_house.home.recorder_key()
        told = decode(
            payload_of(acknowledgement, key, PayloadType.ACKNOWLEDGEMENT), Acknowledgement
        )
        (digest,) = told.digests
        assert live_house.store.envelopes.get(digest)
    publisher.close()


def test_server_terminated_ends_all_its_services_in_order(live_house: House) -> None:
    with server(live_house, "--beat") as process:
        running = pids(live_house)
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert not any(map(lives, running.values()))
    assert pids(live_house) == {}
    assert trouble(live_house) == ["no server is running; start it with `denrei server`"]
    assert "Traceback" not in output


def test_server_killed_service_is_started_again(live_house: House) -> None:
    with server(live_house):
        for name, pid in pids(live_house).items():
            os.kill(pid, signal.SIGKILL)
            eventually(partial(has_new_pid, live_house, name, pid), within=20)


def test_server_killed_itself_leaves_no_service_behind(live_house: House) -> None:
    with server(live_house, "--beat") as process:
        running = pids(live_house)
        process.kill()
        eventually(lambda: not any(map(lives, running.values())), within=20)


def test_server_second_one_is_refused_in_one_line(live_house: House) -> None:
    with server(live_house):
        second = start(live_house, "server")
        output, _ = second.communicate(timeout=20)
        assert second.returncode == 1
        assert "a dispatcher is running in" in output
        assert not trouble(live_house)


def test_server_without_its_broker_says_so_and_works_when_it_is_there(tmp_path: Path) -> None:
    with EmbeddedRedis() as broker:
        house = House.build(tmp_path / "home", broker.url)
        broker.kill()
        process = start(house, "server")
        try:
            run = house.submit()
            hindered = ALL - {ServiceName.BEAT}
            eventually(lambda: all(is_hindered(house, name) for name in hindered), within=40.0)
            assert "can't reach the broker" in "".join(trouble(house))
            broker.start()
            eventually(lambda: house.host_run(run).publishes == 1, within=20)
            publisher = Publisher(broker.url)
            report = house.hosts["web1"].report(house.order(run))
            publisher.publish(REPORTS_QUEUE, RECORD_TASK, report)
            eventually(lambda: house.state(run) is HostRunState.SUCCEEDED, within=40)
            publisher.close()
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=30)
            house.store.close()
    assert output.count('"event": "hindered"') == 3  # once per service, not once per try


@pytest.mark.parametrize("name", ["recorder", "beat", "registrar"])
def test_server_key_missing_is_one_line(house: House, name: str) -> None:
    house.home.service_key(name).unlink()
    process = start(house, "server")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.count("\n") == 1
    assert name in output
