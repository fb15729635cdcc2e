"""Courier and executor as two users: they work together, and a hostile courier harms nobody.

Only root can be two users: elsewhere these are skipped, and say why. What one user alone can show
is in tests/unit/worker/test_mailbox.py.
"""

import os
import signal
import traceback
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

from contract.bell import Bell, ring
from contract.names import DELIVER_TASK
from contract.publisher import Publisher
from contract.report import Report
from lab.redis import EmbeddedRedis
from tests.integration.worker.process import running
from tests.integration.worker.two_users import apart, by_root
from tests.queue_reader import QueueReader
from tests.swapper import as_nobody, become_nobody
from tests.unit.worker.steps import CHECK
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.config import load_config
from worker.courier import run_courier
from worker.handover import CourierUser, hand_over
from worker.mailbox import BELL

LATE = ("celery.apps.worker", "celery.concurrency.solo", "kombu.transport.redis")

pytestmark = by_root


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A host whose courier is nobody, and whose executor is root."""
    return apart(WorkerHost(tmp_path), tmp_path)


def test_order_and_report_go_through_the_hands_of_two_users(
    tmp_path: Path, clean_redis: EmbeddedRedis, publisher: Publisher, queue: str
) -> None:
    """The real processes on a real Redis, the courier without a right of root's."""
    host = apart(WorkerHost(tmp_path / "two", clean_redis.url), tmp_path / "two")
    letter = host.order(CHECK)
    courier = os.fork()  # not started anew: nobody may not get to this Python's files
    if courier == 0:
        _be_courier(host)
    try:
        with running(host, "executor"), QueueReader(clean_redis.url, "reports") as reports:
            publisher.publish(queue, DELIVER_TASK, letter)
            eventually(lambda: Report in {type(host.read(each)) for _, each in reports.take()})
    finally:
        os.kill(courier, signal.SIGTERM)
    assert os.waitpid(courier, 0)[1] == 0


def _be_courier(host: WorkerHost) -> NoReturn:
    code = 1
    try:
        for module in LATE:
            import_module(module)
        become_nobody()
        run_courier(load_config(host.config.path))
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - the parent's pytest must not see it
        traceback.print_exc()
    finally:
        os._exit(code)


@pytest.mark.parametrize("name", ["sign_key", "seal_key", "ledger", "executor_lock"])
def test_courier_can_read_nothing_that_is_the_executors(host: WorkerHost, name: str) -> None:
    path: Path = getattr(host.config, name)
    path.touch()

    def try_it() -> None:
        with pytest.raises(PermissionError):
            path.read_bytes()
        with pytest.raises(PermissionError):
            path.unlink()

    as_nobody(try_it)


def test_courier_can_change_nothing_outside_its_own(host: WorkerHost) -> None:
    config = host.config

    def try_it() -> None:
        for directory in (config.path.parent, config.courier_config.parent, config.state):
            with pytest.raises(PermissionError):
                (directory / "new").touch()
        for path in (config.path, config.policy, config.courier_config):
            assert path.read_bytes()
            with pytest.raises(PermissionError):
                path.write_text("")
        for box in (config.inbox, config.outbox):
            with pytest.raises(PermissionError):
                box.rename(box.with_name("other"))

    as_nobody(try_it)


def test_stranger_can_enter_nothing(host: WorkerHost) -> None:
    """Whoever is neither root nor the courier's group."""
    hand_over(host.config, CourierUser(4711, 4711))

    def try_it() -> None:
        for directory in (host.config.inbox, host.config.outbox, host.config.path.parent):
            with pytest.raises(PermissionError):
                list(directory.iterdir())

    as_nobody(try_it)


def test_each_side_reads_and_takes_away_what_the_other_put_down(host: WorkerHost) -> None:
    os.umask(0o077)
    host.outbox.put(b"report")

    def carry() -> None:
        os.umask(0o077)
        (path,) = host.outbox.letters()
        assert host.outbox.read(path) == b"report"
        path.unlink()
        host.inbox.put(b"order")

    as_nobody(carry)
    assert host.outbox.letters() == []
    (path,) = host.inbox.letters()
    assert host.inbox.read(path) == b"order"


def test_each_side_wakes_the_other(host: WorkerHost) -> None:
    bell = Bell(host.config.inbox / BELL)
    as_nobody(lambda: ring(host.config.inbox / BELL))
    assert bell.wait(0)
    bell.close()

    def wait() -> None:
        ours = Bell(host.config.outbox / BELL)
        (host.config.courier / "ready").touch()
        assert ours.wait(10)

    def ring_when_ready() -> None:
        eventually((host.config.courier / "ready").exists)
        ring(host.config.outbox / BELL)

    pid = os.fork()
    if pid == 0:
        ring_when_ready()
        os._exit(0)
    as_nobody(wait)
    assert os.waitpid(pid, 0)[1] == 0
