"""`denrei-worker` as a person starts it: both processes, one end, one line for what is missing."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from contract.names import DELIVER_TASK, RECORD_TASK
from contract.publisher import Publisher
from contract.report import Pong, Report
from tests.integration.worker.process import running
from tests.queue_reader import QueueReader
from tests.unit.worker.steps import CHECK, FLAG
from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost


def heard(host: WorkerHost, reports: QueueReader, kind: type) -> list[object]:
    messages = [host.read(letter) for task, letter in reports.take() if task == RECORD_TASK]
    return [message for message in messages if isinstance(message, kind)]


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_run_carries_an_order_from_queue_to_queue_and_stops_both(
    host: WorkerHost, publisher: Publisher, queue: str, reports: QueueReader
) -> None:
    host.tool("tool", "touch flag")
    with running(host, "run") as pair:
        publisher.publish(queue, DELIVER_TASK, host.order(FLAG))
        (report,) = eventually(lambda: heard(host, reports, Report), within=20)
        assert isinstance(report, Report)
        assert report.outcome == "changed"
        assert (host.root / "flag").exists()
        digest = host.outbox.letters()[0].stem
        publisher.publish(queue, DELIVER_TASK, host.acknowledgement(digest))
        eventually(lambda: host.outbox.letters() == [])
        both = children_of(pair.popen.pid)
        assert len(both) == 2
        assert pair.end() == 0
        assert not any(child.is_running() for child in both)
        log = pair.log.read_text()
    assert "Traceback" not in log
    assert "executor_stopped" in log


def test_run_answers_a_ping_through_both(
    host: WorkerHost, publisher: Publisher, queue: str, reports: QueueReader
) -> None:
    with running(host, "run"):
        publisher.publish(queue, DELIVER_TASK, host.ping("cd" * 16))
        (pong,) = eventually(lambda: heard(host, reports, Pong), within=20)
    assert isinstance(pong, Pong)
    assert pong.nonce == "cd" * 16


@pytest.mark.parametrize("name", ["courier", "executor"])
def test_run_starts_a_killed_one_again(
    host: WorkerHost, publisher: Publisher, queue: str, reports: QueueReader, name: str
) -> None:
    with running(host, "run") as pair:
        pair.await_log(f"{name}_ready")
        (victim,) = [c for c in children_of(pair.popen.pid) if c.cmdline()[-1] == name]
        victim.kill()
        pair.await_log("process_ended")
        publisher.publish(queue, DELIVER_TASK, host.order(CHECK))
        assert eventually(lambda: heard(host, reports, Report), within=20)


def test_run_stopped_before_it_is_up_leaves_no_traceback(host: WorkerHost) -> None:
    """Ctrl-C goes to all of them, at any moment."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with running(host, "run") as pair:
            eventually(lambda: len(children_of(pair.popen.pid)) == 2)
            assert pair.end(number) == 0
            assert "Traceback" not in pair.log.read_text()


def test_stop_while_the_broker_is_away_is_prompt(tmp_path: Path) -> None:
    host = WorkerHost(tmp_path)  # its broker is nowhere
    with running(host, "run") as pair:
        pair.await_log("broker_lost")
        assert pair.end(within=10) == 0
        assert "Traceback" not in pair.log.read_text()


def empty(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text)

    return write


def open_to_all(path: Path) -> None:
    path.chmod(0o644)


MISSING = [
    (
        "path",
        Path.unlink,
        "worker.yaml: No such file or directory; run `denrei-worker enrol TOKEN`",
    ),
    ("path", empty("name: [x"), "worker.yaml:1:"),
    ("path", empty("name: Bad Name\n"), "can't be a host's name"),
    ("sign_key", Path.unlink, "no key at "),
    ("sign_key", empty("x"), "holds no unencrypted private key"),
    ("seal_key", Path.unlink, "no key at "),
    ("seal_key", open_to_all, "chmod 600"),
    ("keyring", Path.unlink, "keyring.json: this host is not enrolled"),
    ("keyring", empty("{}"), "what this host trusts is damaged"),
    ("admission", Path.unlink, "admission.json: this host is not enrolled"),
    ("admission", empty("x"), "what this host trusts is damaged"),
    ("policy", Path.unlink, "policy.yaml: No such file or directory; nothing is allowed"),
    ("policy", empty("runboks: []"), "did you mean 'runbooks'?"),
    ("ledger", Path.unlink, "no ledger at "),
    ("ledger", empty("garbage" * 1000), "file is not a database"),
]


@pytest.mark.parametrize(("what", "spoil", "says"), MISSING)
def test_start_without_what_is_needed_is_one_line_and_no_success(
    tmp_path: Path, what: str, spoil: Callable[[Path], None], says: str
) -> None:
    host = WorkerHost(tmp_path)
    spoil(getattr(host.config, what))
    ended = start(host, "executor" if what != "path" else "courier")
    assert ended.returncode == 78
    (line,) = ended.stderr.splitlines()
    assert line.startswith("denrei-worker: ")
    assert says in line


def start(host: WorkerHost, command: str) -> "subprocess.CompletedProcess[str]":
    argv = [str(SCRIPT), "--config", str(host.config.path), command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("spelling", ["one word", "two words", "environment"])
def test_service_is_started_however_its_settings_are_named(
    tmp_path: Path, spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The units' own way does without the command line's library; the others mean the same."""
    host = WorkerHost(tmp_path)
    host.config.keyring.unlink()
    path = str(host.config.path)
    monkeypatch.setenv("DENREI_WORKER_CONFIG", path if spelling == "environment" else "/nowhere")
    options = {"one word": [f"--config={path}"], "two words": ["--config", path]}.get(spelling, [])
    argv = [str(SCRIPT), *options, "executor"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 78
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"denrei-worker: no {host.config.keyring}: this host is not enrolled")


@pytest.mark.parametrize("what", ["keyring", "path"])
def test_run_without_what_is_needed_ends_both_and_says_why(host: WorkerHost, what: str) -> None:
    getattr(host.config, what).unlink()
    ended = start(host, "run")
    assert ended.returncode != 0
    assert ended.stderr.count("denrei-worker: ") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["courier", "executor"])
@pytest.mark.parametrize("name", ["inbox", "outbox"])
def test_start_without_a_directory_is_one_line(tmp_path: Path, command: str, name: str) -> None:
    host = WorkerHost(tmp_path)
    getattr(host.config, name).rmdir()
    ended = start(host, command)
    assert ended.returncode == 78
    (line,) = ended.stderr.splitlines()
    assert (
        f"no directory {getattr(host.config, name)}; run `denrei-worker enrol TOKEN` first" in line
    )


def test_second_executor_is_refused_in_one_line(host: WorkerHost) -> None:
    with running(host, "executor") as first:
        first.await_log("executor_ready")
        ended = start(host, "executor")
    assert ended.returncode == 78
    assert ended.stderr.splitlines() == [
        f"denrei-worker: another executor is at work on {host.config.state}"
    ]
