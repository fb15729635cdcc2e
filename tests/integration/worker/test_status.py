"""`denrei-worker status` and `history` beside real processes: true also when these were killed."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.names import PING_TASK, PRESENCE_TASK
from contract.order import letter_digest
from contract.presence import PresenceWord, decode_word
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.integration.worker.process import Process, running
from tests.queue_reader import QueueReader
from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost
from worker.exit_code import EXIT_LOOK

NONCE = "0123456789abcdef" * 2
RUNBOOK = """\
name: note
observe:
  it: {file: {path: /note}}
steps:
  - name: the note is there
    ensure: it.exists
    do:
      file.write: {path: /note, content: x}
"""


def tell(host: WorkerHost, *arguments: str) -> tuple[int, str]:
    """Run a command of `denrei-worker` and return its exit code and what it printed."""
    argv = [str(SCRIPT), "--config", str(host.config.path), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def status(host: WorkerHost) -> dict[str, Any]:
    code, said = tell(host, "status", "-o", "json")
    document: dict[str, Any] = json.loads(said)
    assert code == (0 if document["well"] else EXIT_LOOK)
    return document


@pytest.fixture
def courier(host: WorkerHost) -> Iterator[Process]:
    with running(host, "courier") as process:
        yield process


@pytest.fixture
def executor(host: WorkerHost) -> Iterator[Process]:
    with running(host, "executor") as process:
        process.await_log("executor_ready")
        yield process


def is_well(host: WorkerHost) -> bool:
    return bool(status(host)["well"])


def test_status_of_a_worker_at_work_is_well_and_disturbs_nothing(
    host: WorkerHost, courier: Process, executor: Process
) -> None:
    eventually(lambda: is_well(host))
    told = status(host)
    assert told["courier"]["pid"] == courier.popen.pid
    assert told["executor"]["pid"] == executor.popen.pid
    assert told["courier"]["connected"] is True
    assert told["courier"]["last_self_ping_s"] < 20
    assert told["orders"] == {"waiting": 0, "running": 0}
    assert (told["ledger"]["health"], told["clock"]) == ("ok", None)
    code, said = tell(host, "status")
    assert code == 0
    assert f"running, pid {executor.popen.pid}" in said
    with running(host, "executor") as second:  # the first one holds its lock still
        assert second.popen.wait(20) != 0


def test_status_after_kill_says_not_running_and_since_when(
    host: WorkerHost, courier: Process, executor: Process
) -> None:
    eventually(lambda: is_well(host))
    courier.end(signal.SIGKILL)
    executor.end(signal.SIGKILL)
    told = status(host)
    assert told["courier"]["state"] == told["executor"]["state"] == "not running"
    assert told["courier"]["connected"] is None
    assert told["courier"]["last_said_s"] is not None
    assert any("the courier is not running; it last said" in text for text in told["concerns"])


def test_status_of_a_stopped_courier_does_not_repeat_that_it_is_connected(
    host: WorkerHost, courier: Process, executor: Process
) -> None:
    eventually(lambda: is_well(host))
    courier.popen.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: not is_well(host))
        told = status(host)
    finally:
        courier.popen.send_signal(signal.SIGCONT)
    assert told["courier"]["state"] == "stopped"
    assert told["courier"]["connected"] is None


@pytest.mark.timeout(120)
def test_status_tells_that_the_broker_is_lost_and_reached_again(tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis") as broker:
        host = WorkerHost(tmp_path / "host", broker.url)
        with running(host, "courier"), running(host, "executor"):
            eventually(lambda: is_well(host))
            broker.kill()
            host.outbox.put(b"to be sent")
            eventually(lambda: status(host)["courier"]["connected"] is False)
            assert "can't reach the broker" in status(host)["courier"]["trouble"]
            broker.start()
            eventually(lambda: status(host)["courier"]["connected"] is True, within=20)


def test_second_courier_is_turned_away(host: WorkerHost, courier: Process) -> None:
    """Two would take turns with the same letters, and nobody could say which of them fares how."""
    courier.await_log("courier_ready")
    with running(host, "courier") as second:
        assert second.popen.wait(20) == 1
    assert "another courier is at work" in courier.log.read_text()


def words(reports: QueueReader) -> list[PresenceWord]:
    return [decode_word(text.decode()) for task, text in reports.take() if task == PRESENCE_TASK]


def test_question_of_presence_is_answered_with_what_the_courier_sees(
    host: WorkerHost, courier: Process, publisher: Publisher, queue: str, reports: QueueReader
) -> None:
    host.inbox.put(b"a letter")
    publisher.publish(queue, PING_TASK, NONCE.encode())
    (word,) = eventually(lambda: words(reports))
    assert (word.host, word.nonce, word.inbox, word.taking) == ("web1", NONCE, 1, True)


def test_flood_of_questions_is_answered_once_a_second(
    host: WorkerHost, courier: Process, publisher: Publisher, queue: str, reports: QueueReader
) -> None:
    """The newest of them; and what is no nonce is not answered at all."""
    for number in range(200):
        publisher.publish(queue, PING_TASK, f"{number:032x}".encode())
    publisher.publish(queue, PING_TASK, b"no nonce")
    got: list[PresenceWord] = []

    def newest_came() -> bool:
        got.extend(words(reports))
        return any(word.nonce == f"{199:032x}" for word in got)

    eventually(newest_came)
    assert len(got) <= 4


def test_history_tells_what_was_done_and_keeps_it_after_the_acknowledgement(
    host: WorkerHost, executor: Process
) -> None:
    host.inbox.put(host.order(RUNBOOK))
    report = host.report()
    (letter,) = [
        data for p in host.outbox.letters() if p.suffix == ".keep" and (data := host.outbox.read(p))
    ]
    host.inbox.put(host.acknowledgement(letter_digest(letter)))
    eventually(lambda: not [p for p in host.outbox.letters() if p.suffix == ".keep"])
    code, said = tell(host, "history", "-o", "json")
    assert code == 0
    told = json.loads(said)
    (run,) = told["runs"]
    assert (run["runbook"], run["operator"], run["reason"]) == ("note", "anna", "a test")
    assert (run["outcome"], run["acknowledged"], told["pruned"]) == ("changed", True, 0)
    assert report.run_id in tell(host, "history")[1]
    code, said = tell(host, "history", "--run", report.run_id)
    assert code == 0
    assert "changed       the note is there" in said
    assert status(host)["clock"]["against_order"] == report.run_id
    code, _ = tell(host, "history", "--run", "NONE")
    assert code == 1
