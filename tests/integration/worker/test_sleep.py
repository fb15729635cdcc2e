"""An executor that ends when it is idle: the next letter starts it, and nothing is lost by it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from contract.names import DELIVER_TASK
from contract.publisher import Publisher
from contract.report import Report
from tests.integration.worker.process import running
from tests.integration.worker.test_run import children_of, heard
from tests.queue_reader import QueueReader
from tests.unit.worker.steps import CHECK
from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost
from worker.executor import Executor
from worker.exit_code import EXIT_ASLEEP
from worker.liveness import last_word
from worker.mailbox import Care
from worker.rest import ASLEEP

AT_ONCE = timedelta()


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Put the signal handlers back that an executor in this process sets."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def sleepy(host: WorkerHost) -> Executor:
    """Return an executor that ends as soon as it has nothing to do."""
    return Executor(replace(host.config, sleep_after=AT_ONCE))


@pytest.mark.timeout(120)
def test_pair_whose_executor_sleeps_is_well_and_serves_the_next_letter(
    host: WorkerHost, publisher: Publisher, queue: str, reports: QueueReader
) -> None:
    with host.config.path.open("a") as config:
        config.write("sleep_after: 10s\n")
    with running(host, "run") as pair:
        pair.await_log("executor_asleep", within=40)
        eventually(lambda: len(children_of(pair.popen.pid)) == 1, what="the courier alone")
        eventually(lambda: status(host)["well"], what="a host that is well")
        assert status(host)["executor"] == {"state": "asleep", "pid": None}
        publisher.publish(queue, DELIVER_TASK, host.order(CHECK))
        (report,) = eventually(lambda: heard(host, reports, Report), within=20)
        assert isinstance(report, Report)
        assert report.outcome == "failed"  # as the runbook has it
        assert len(children_of(pair.popen.pid)) == 2


def status(host: WorkerHost) -> dict[str, object]:
    argv = [str(SCRIPT), "--config", str(host.config.path), "status", "-o", "json"]
    done = subprocess.run(argv, capture_output=True, check=False)
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_executor_with_nothing_to_do_ends_and_says_that_it_sleeps(host: WorkerHost) -> None:
    assert sleepy(host).serve() == EXIT_ASLEEP
    assert last_word(host.config.executor_lock) == ASLEEP


def test_executor_that_starts_again_is_not_taken_for_one_that_sleeps(host: WorkerHost) -> None:
    assert sleepy(host).serve() == EXIT_ASLEEP
    with host.executor():
        assert last_word(host.config.executor_lock) == ""


def test_executor_does_its_work_before_it_sleeps(host: WorkerHost) -> None:
    """It stays, too, until the report is acknowledged: the acknowledgement would wake it."""
    host.inbox.put(host.order(CHECK))
    executor = sleepy(host)
    executor._take()
    assert not executor._may_sleep()  # an order waits
    turn = executor._line.next()
    assert turn
    executor._carry_out(turn)
    assert not executor._may_sleep()  # its report is not acknowledged
    (report,) = [path for path in host.outbox.letters() if path.suffix == Care.KEEP]
    host.inbox.put(host.acknowledgement(report.stem))
    assert executor.serve() == EXIT_ASLEEP
    assert not report.exists()
