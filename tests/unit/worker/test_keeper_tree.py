"""The keeper and the tree below it: nothing outlives the step but what was meant to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.worker.test_keeper import shell
from tests.waiting import eventually
from worker import proc
from worker.keeper import Spawn, await_keeper, run
from worker.keeper_state import KeeperState, group_of
from worker.process_tree import marked, sweep
from worker.root import Root

pytestmark = pytest.mark.usefixtures("control")

SOON = timedelta(seconds=5)
GRACE = timedelta(milliseconds=300)

# A daemon by the book: a new session, twice forked, deaf to TERM, holding the pipes.
DAEMON = "(setsid sh -c 'trap \"\" TERM; sleep 97 & sleep 98; :' &)"


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The mark of one test's processes; whatever happens, they end with the test."""
    name = f"{request.node.name}:{os.getpid()}"
    yield name
    sweep(name)


def test_run_out_of_time_ends_the_whole_tree(marker: str) -> None:
    """Daemons, new sessions and those deaf to TERM end too."""
    ending = shell(
        f"{DAEMON}; trap '' TERM; echo on; sleep 99", timeout=0.3, grace=GRACE, marker=marker
    )
    assert ending.timed_out
    assert ending.stdout.text == "on\n"
    assert ending.killed >= 4
    assert ending.surviving == 0
    assert marked(marker) == []


def test_run_out_of_time_gives_a_grace_to_clean_up(marker: str) -> None:
    ending = shell("trap 'echo clean; exit 7' TERM; sleep 99 & wait", timeout=0.2, marker=marker)
    assert ending.timed_out
    assert ending.stdout.text == "clean\n"
    assert ending.exit_code == 7
    assert ending.duration < timedelta(seconds=5)


def test_run_out_of_time_ends_a_stopped_command(marker: str) -> None:
    ending = shell("kill -STOP $$", timeout=0.2, marker=marker)
    assert (ending.timed_out, ending.signal) == (True, signal.SIGTERM)
    assert ending.duration < timedelta(seconds=5)


def test_run_leftovers_of_a_normal_exit_are_ended_and_counted(marker: str) -> None:
    ending = shell(f"{DAEMON}; echo done", grace=GRACE, marker=marker)
    assert (ending.exit_code, ending.timed_out) == (0, False)
    assert ending.stdout.text == "done\n"
    assert ending.killed >= 2
    assert marked(marker) == []


def test_run_a_child_that_just_finishes_is_not_called_a_leftover() -> None:
    ending = shell("(sleep 0.05; echo late) & echo done")
    assert ending.stdout.text == "done\nlate\n"
    assert ending.killed == 0


def test_run_a_service_outlives_its_starter_though_it_holds_the_pipe(marker: str) -> None:
    """A grandchild with our pipe in its hands keeps nobody waiting, and is left alone."""
    ending = shell(f"{DAEMON}; echo up", leaves_daemon=True, marker=marker)
    assert (ending.exit_code, ending.killed, ending.surviving) == (0, 0, 0)
    assert ending.stdout.text == "up\n"
    assert ending.duration < timedelta(seconds=5)
    assert marked(marker)


def test_run_a_starter_out_of_time_leaves_no_service(marker: str) -> None:
    """What could not finish starting is no service yet, even if TERM makes it exit with 0."""
    text = f"{DAEMON}; trap 'exit 0' TERM; sleep 99 & wait"
    ending = shell(text, leaves_daemon=True, timeout=0.3, grace=GRACE, marker=marker)
    assert (ending.timed_out, ending.exit_code) == (True, 0)
    assert marked(marker) == []


def test_run_without_its_keeper_ends_what_is_left(marker: str, tmp_path: Path) -> None:
    """When the keeper itself is killed, the mark in the environment still finds the rest."""
    lock = tmp_path / "lock"
    ending = shell(f"{DAEMON}; sleep 0.1; kill -9 $PPID; sleep 99", marker=marker, lock_path=lock)
    assert ending.error == "its keeper was killed"
    assert ending.killed >= 2
    assert marked(marker) == []
    assert await_keeper(lock, SOON) is KeeperState.KILLED


def test_run_work_meanwhile_that_fails_ends_the_command(marker: str, tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    def fail(_: int) -> None:
        eventually(lambda: marked(marker))
        raise KeyboardInterrupt

    spawn = Spawn(("/bin/sleep", "99"), Root(), SOON, GRACE, marker=marker, lock_path=lock)
    with pytest.raises(KeyboardInterrupt):
        run(spawn, fail)
    assert await_keeper(lock, SOON) is KeeperState.FINISHED
    assert marked(marker) == []
    os.waitpid(-1, 0)


EXECUTOR = """
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from worker.keeper import Spawn, run
from worker.root import Root
second = timedelta(seconds=1)
run(Spawn(("/bin/sh", "-c", sys.argv[1]), Root(), 60 * second, 0.3 * second,
    marker=sys.argv[2], lock_path=Path(sys.argv[3])))
"""


def test_run_killed_executor_takes_the_tree_with_it(marker: str, tmp_path: Path) -> None:
    """The lock tells a recovering executor when it is over."""
    lock = tmp_path / "lock"
    assert await_keeper(lock, SOON) is KeeperState.NONE
    argv = [sys.executable, "-c", EXECUTOR, f"{DAEMON}; sleep 99", marker, str(lock)]
    with subprocess.Popen(argv) as executor:
        eventually(lambda: len(marked(marker)) >= 4)
        assert await_keeper(lock, timedelta()) is KeeperState.BUSY
        refused = shell("exit 0", lock_path=lock)
        executor.kill()
    assert "what an earlier step started still runs" in refused.error
    assert await_keeper(lock, SOON) is KeeperState.FINISHED
    assert marked(marker) == []
    eventually(lambda: group_of(lock) is None, what="its group is gone")


def test_await_keeper_after_a_run_finds_it_finished(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    for _ in range(2):
        assert shell("exit 1", lock_path=lock).exit_code == 1
        assert await_keeper(lock, timedelta()) is KeeperState.FINISHED


def test_run_with_a_lock_nowhere_does_not_start(tmp_path: Path) -> None:
    ending = shell("exit 0", lock_path=tmp_path / "no" / "lock")
    assert "can't take the lock" in ending.error
    assert "No such file" in ending.error


def test_sweep_finds_only_its_own_mark(marker: str) -> None:
    shell(f"{DAEMON}", leaves_daemon=True, marker=marker)
    assert sweep(marker + "0") == 0
    assert sweep(marker + ":2") == 0
    assert sweep("") == 0
    assert sweep(marker) >= 2
    assert marked(marker) == []


def test_boot_clock_and_wall_clock_agree_on_a_second() -> None:
    """The deadlines' clock runs at the pace of the others."""
    boot, monotonic = proc.boot_clock(), time.monotonic()
    shell("sleep 0.1")
    assert abs((proc.boot_clock() - boot) - (time.monotonic() - monotonic)) < 0.05
