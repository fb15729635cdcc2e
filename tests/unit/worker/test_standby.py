"""The keeper that stands by: one for many commands, and another one when it is not as it was."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.life import live as live_process
from tests.unit.worker.controls import keepers_groups
from tests.unit.worker.test_keeper import descriptors, shell
from tests.unit.worker.test_keeper_tree import DAEMON
from tests.waiting import eventually
from worker import proc
from worker.process_tree import descendants, sweep
from worker.standby import SOON_S, STANDBY, Standby

GRACE = timedelta(milliseconds=200)
MARKER = f"standby:{os.getpid()}"

pytestmark = pytest.mark.usefixtures("control")


@pytest.fixture(autouse=True)
def _no_service_is_left() -> Iterator[None]:
    yield
    sweep(MARKER)


def keeper() -> int:
    """Let a command tell who keeps it."""
    return int(shell("echo $PPID").stdout.text)


def test_keeper_of_a_command_that_left_nothing_keeps_the_next_one(tmp_path: Path) -> None:
    """It has nothing of the first one: no lock, no pipe, no directory, no environment."""
    first = keeper()
    before = descriptors(first)
    folder = tmp_path / "gone"
    folder.mkdir()
    lock = tmp_path / "lock"
    ending = shell("pwd; rmdir $PWD", cwd=str(folder), stdin="x" * 100_000, lock_path=lock)
    assert ending.exit_code == 0
    second = shell("pwd; echo $PPID; echo $A", env={"A": "b"}).stdout.text.split()
    assert second == ["/", str(first), "b"]
    assert "A=" not in shell("env").stdout.text
    assert descriptors(first) == before


def test_keeper_of_what_could_not_start_keeps_the_next_one() -> None:
    first = keeper()
    assert "no such" in shell("x", cwd="/no/such").error
    assert keeper() == first


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("sleep 99", {"timeout": 0.2}),
        (f"{DAEMON}; exit 0", {}),
        (f"{DAEMON}; exit 0", {"leaves_daemon": True, "marker": MARKER}),
        ("exit 0", {"leaves_daemon": True}),
    ],
    ids=["out of time", "leftovers", "a service", "what may leave a service"],
)
def test_keeper_that_is_not_as_it_was_ends(text: str, options: dict[str, object]) -> None:
    """It stepped out of its group to end something, or has a service below it."""
    first = keeper()
    assert shell(text, grace=GRACE, **options).error == ""  # type: ignore[arg-type]
    assert proc.read_stat(first) is None
    assert keepers_groups() == []
    assert keeper() != first


def test_keeper_that_was_killed_while_it_stood_by_is_replaced() -> None:
    first = keeper()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not (found := proc.read_stat(first)) or not found.is_alive)
    assert shell("echo on").stdout.text == "on\n"


def test_keeper_bears_a_name_of_its_own() -> None:
    assert Path(f"/proc/{keeper()}/comm").read_text() == "denrei-keeper\n"


def test_keeper_hears_no_signal_but_kill() -> None:
    first = keeper()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM):
        os.kill(first, number)
    assert keeper() == first


def test_keeper_is_its_own_executors_only() -> None:
    """A fork of the executor (the tests have some) has another one."""
    first = keeper()
    assert live_process(lambda: None if keeper() != first else os._exit(3))
    assert keeper() == first


def test_dismiss_leaves_neither_process_nor_group() -> None:
    before = {process.pid for process in descendants(os.getpid())}
    keeper()
    STANDBY.dismiss()
    STANDBY.dismiss()
    assert {process.pid for process in descendants(os.getpid())} <= before
    assert keepers_groups() == []


EXECUTOR = """
import sys, os
from datetime import timedelta
from worker.keeper import Spawn, run
from worker.root import Root
spawn = Spawn(("/bin/sh", "-c", "echo $PPID"), Root(), timedelta(seconds=9))
print(run(spawn).stdout.text, flush=True)
sys.stdin.read()
"""


def test_executor_that_is_killed_takes_the_keeper_that_stands_by_with_it() -> None:
    argv = [sys.executable, "-c", EXECUTOR]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as executor:
        assert executor.stdout
        pid = int(executor.stdout.readline())
        executor.kill()
    eventually(lambda: proc.read_stat(pid) is None, what="the keeper has ended")
    assert keepers_groups() == []


@pytest.fixture
def standby(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Standby, list[float]]]:
    """A standby by a clock of its own: the last number."""
    clock, standby = [1000.0], Standby()
    monkeypatch.setattr("worker.standby.boot_clock", lambda: clock[-1])
    yield standby, clock
    standby.dismiss()


def test_standby_after_a_run_alone_keeps_nobody(standby: tuple[Standby, list[float]]) -> None:
    own, _ = standby
    first = own.at_hand()
    assert own.at_hand() is first
    own.end_run()
    assert not first.is_at_hand
    own.end_run()


def test_standby_when_runs_follow_each_other_keeps_the_second_ones(
    standby: tuple[Standby, list[float]],
) -> None:
    own, clock = standby
    own.at_hand()
    own.end_run()
    clock.append(clock[-1] + SOON_S)
    second = own.at_hand()
    own.end_run()
    assert own.at_hand() is second
    own.end_run()
    clock.append(clock[-1] + SOON_S + 0.1)
    assert own.at_hand() is second
    own.end_run()
    assert not second.is_at_hand
