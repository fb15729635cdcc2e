"""What an order costs a host, in Redis commands and in waits for the disk."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from contract.names import DELIVER_TASK, host_queue
from contract.publisher import Publisher
from contract.report import Report
from lab.redis import EmbeddedRedis
from tests.counts.tally import commands
from tests.counts.three_steps import THREE_STEPS, furnish
from tests.integration.tls.debian import Program, program
from tests.integration.worker.process import running
from tests.unit.worker.steps import CHECK
from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost
from worker import contents
from worker.courier_state import load_state

LETTERS = 40
WORDS = 4


def carry(host: WorkerHost, publisher: Publisher, letters: int) -> None:
    """Let a running courier fetch letters, and then send as many."""
    for number in range(letters):
        publisher.publish(host_queue(host.config.name), DELIVER_TASK, b"in %d" % number)
    eventually(lambda: len(host.inbox.letters()) == letters, what="letters in the inbox")
    for path in host.inbox.letters():
        path.unlink()
    for number in range(letters):
        host.outbox.put(b"out %d" % number)
    eventually(lambda: host.outbox.letters() == [], what="an empty outbox")


def test_letter_costs_the_courier_one_command_in_and_one_out(
    tmp_path: Path, clean_redis: EmbeddedRedis
) -> None:
    """Guards the courier: one BRPOP a letter it fetches, one LPUSH a letter it sends.

    A quarter more is for its polls and its words to itself while the test goes on.
    """
    host = WorkerHost(tmp_path, clean_redis.url)
    with running(host, "courier"), closing(Publisher(clean_redis.url)) as publisher:
        carry(host, publisher, 1)
        with commands(clean_redis.url) as sent:
            carry(host, publisher, LETTERS)
    assert LETTERS <= sent["brpop"] <= LETTERS * 1.25
    assert 2 * LETTERS <= sent["lpush"] <= 2 * LETTERS * 1.25  # ours among them
    assert set(sent) <= {"brpop", "lpush"}


def test_idle_courier_asks_redis_a_few_times_in_a_period(
    tmp_path: Path, clean_redis: EmbeddedRedis
) -> None:
    """Guards what an idle host asks: 3 to 4 commands for each of its words to itself."""
    host = WorkerHost(tmp_path, clean_redis.url)
    with host.config.courier_config.open("a") as config:
        config.write("keepalive: 1s\n")

    def word() -> int:
        state = load_state(host.config.courier_state)
        return (state and state.heard_at) or 0

    with running(host, "courier"):
        first = eventually(word, what="its first word")
        with commands(clean_redis.url) as sent:
            for _ in range(WORDS):
                first = eventually(lambda: word() > first and word(), what="its next word")  # noqa: B023
    assert WORDS <= sum(sent.values()) <= WORDS * 6


@pytest.fixture(scope="module")
def strace() -> Program:
    return program("strace", "strace")


def syncs(directory: Path, strace: Program, orders: int) -> int:
    """Return how often an executor waited for the disk in a life in which it got orders."""
    host, trace = WorkerHost(directory), directory / "trace"
    furnish(host)
    tracing = ("-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(trace))
    command = [
        str(strace.path),
        *tracing,
        str(SCRIPT),
        "--config",
        str(host.config.path),
        "executor",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as popen:
        for number in range(1, orders + 1):
            host.inbox.put(host.order(THREE_STEPS, params={"number": number}))
            eventually(lambda: len(host.heard(Report)) == number, within=20, what="a report")  # noqa: B023
        children = Path(f"/proc/{popen.pid}/task/{popen.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGTERM)
        assert popen.wait(20) == 0
    assert [report.outcome for report in host.heard(Report)] == ["changed"] * orders
    return len(trace.read_text().splitlines())


def test_host_run_waits_for_the_disk_a_bounded_number_of_times(
    tmp_path: Path, strace: Program
) -> None:
    """Guards what durability costs: 9 fsyncs for a host run of three steps that act.

    They are the least: the order, each step before it acts, the report, and for each of the two
    files its content and its name. Now and then the ledger's log is folded in, with two more.
    """
    one = syncs(tmp_path / "one", strace, 1)
    four = syncs(tmp_path / "four", strace, 4)
    assert 9 <= (four - one) / 3 <= 11


def test_runbook_that_comes_again_is_not_parsed_again(tmp_path: Path) -> None:
    """Guards the dearest part of an order: parsing and compiling, once for a runbook."""
    host = WorkerHost(tmp_path)
    parsed, new = contents._loaded.cache_info().misses, f"{CHECK}# {tmp_path}\n"
    for _ in range(3):
        host.inbox.put(host.order(new))
    host.work()
    assert contents._loaded.cache_info().misses - parsed == 1
