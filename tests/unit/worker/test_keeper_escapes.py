"""Ways out of a step's process tree, each tried: with control groups, and where there are none."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.worker.children import script
from tests.unit.worker.controls import keepers_groups
from tests.unit.worker.test_keeper import shell
from tests.unit.worker.test_keeper_tree import DAEMON, EXECUTOR
from tests.waiting import eventually
from worker import cgroup, proc
from worker.keeper import await_keeper
from worker.keeper_state import KeeperState, group_of
from worker.process_control import ProcessControl
from worker.process_tree import marked, send, sweep

GRACE = timedelta(milliseconds=200)
SOON = timedelta(seconds=5)
BARE = "env -i setsid /bin/sh -c 'trap \"\" TERM; echo $$ >> {pids}; exec sleep 96'"
CHAIN = """\
import os
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
"""

in_both_ways = pytest.mark.usefixtures("control")
only_groups = pytest.mark.parametrize("control", [ProcessControl.CGROUP], indirect=True)


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """A file in which processes leave their ids; whatever happens, they end with the test."""
    path = tmp_path / "pids"
    path.touch()
    yield path
    for pid in living(path):
        send(pid, signal.SIGKILL)


@pytest.fixture
def marker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The mark of one test's processes; whatever happens, they end with the test."""
    name = f"{request.node.name}:{os.getpid()}"
    yield name
    sweep(name)


def living(pids: Path) -> list[int]:
    found = [proc.read_stat(int(word)) for word in pids.read_text().split()]
    return [stat.pid for stat in found if stat and stat.is_alive]


@in_both_ways
def test_time_out_ends_those_that_show_no_mark(marker: str, pids: Path) -> None:
    """An emptied environment, a new session and a double fork hide nobody."""
    bare = BARE.format(pids=pids)
    ending = shell(
        f"({bare} & {bare} &); sleep 99",
        timeout=0.5,
        grace=GRACE,
        marker=marker,
        leaves_daemon=True,
    )
    assert (ending.timed_out, ending.surviving) == (True, 0)
    assert len(pids.read_text().split()) == 2
    assert living(pids) == []
    assert keepers_groups() == []


@in_both_ways
def test_time_out_ends_stopped_grandchildren(marker: str, pids: Path) -> None:
    stopped = f"setsid /bin/sh -c 'echo $$ >> {pids}; kill -STOP $$; sleep 95'"
    ending = shell(f"({stopped} &); sleep 99", timeout=0.5, grace=GRACE, marker=marker)
    assert (ending.timed_out, ending.surviving) == (True, 0)
    assert len(pids.read_text().split()) == 1
    assert living(pids) == []


@in_both_ways
def test_time_out_ends_a_bomb_of_daemons(marker: str, tmp_path: Path, pids: Path) -> None:
    """Each starts two more in sessions of their own, three dozen in all and deaf to TERM."""
    bomb = script(
        tmp_path / "bomb",
        f"trap '' TERM; echo $$ >> {pids}\n"
        f'[ "$1" -le 0 ] || for _ in 1 2; do (setsid "$0" $(($1 - 1)) &); done\nsleep 94',
    )
    ending = shell(f"exec {bomb} 4", timeout=1, grace=GRACE, marker=marker)
    assert (ending.timed_out, ending.surviving) == (True, 0)
    assert len(pids.read_text().split()) > 10
    assert living(pids) == []


@in_both_ways
def test_time_out_ends_one_that_forks_faster_than_anybody_looks(marker: str) -> None:
    """Processes that have always just become others, in new sessions."""
    chains = f"for _ in 1 2 3 4; do {sys.executable} -ISc '{CHAIN}' & done; sleep 99"
    ending = shell(chains, timeout=0.5, grace=GRACE, marker=marker)
    assert (ending.timed_out, ending.surviving) == (True, 0)
    assert marked(marker) == []


@in_both_ways
@only_groups
def test_time_out_ends_one_that_left_its_group(marker: str, pids: Path) -> None:
    """Root may go to any group; it stays below the keeper."""
    here = cgroup.home()
    assert here
    leave = f"echo $$ >> {pids}; echo 0 > {here.path}/cgroup.procs; exec sleep 93"
    ending = shell(f"(setsid sh -c '{leave}' &); sleep 99", timeout=0.4, grace=GRACE, marker=marker)
    assert (ending.timed_out, ending.surviving) == (True, 0)
    assert len(pids.read_text().split()) == 1
    assert living(pids) == []


def test_sweep_after_keeper_and_executor_finds_what_hides(
    marker: str, tmp_path: Path, pids: Path, control: ProcessControl
) -> None:
    """A group tells whose it is; without one only a mark does, and this one has shed it."""
    lock = tmp_path / "lock"
    text = f"({BARE.format(pids=pids)} &); {DAEMON}; sleep 92"
    argv = [sys.executable, "-c", EXECUTOR, text, marker, str(lock)]
    with subprocess.Popen(argv) as executor:
        eventually(lambda: living(pids) and len(marked(marker)) >= 4)
        (keeper,) = [s.pid for s in proc.processes() if s.parent == executor.pid]
        executor.send_signal(signal.SIGSTOP)  # or it would take its keeper's place
        send(keeper, signal.SIGKILL)
        executor.kill()
    assert await_keeper(lock, SOON) is KeeperState.KILLED
    assert sweep(marker, group_of(lock)) >= 4
    assert marked(marker) == []
    assert bool(living(pids)) == (control is ProcessControl.SUBREAPER)
    assert keepers_groups() == []


def test_service_after_a_normal_exit_is_out_of_the_group_and_holds_no_lock(
    marker: str, tmp_path: Path, pids: Path, control: ProcessControl
) -> None:
    lock = tmp_path / "lock"
    text = f"({BARE.format(pids=pids)} &); {DAEMON}; until [ -s {pids} ]; do sleep 0.01; done"
    ending = shell(text, leaves_daemon=True, marker=marker, lock_path=lock)
    assert (ending.exit_code, ending.killed, ending.bound) == (0, 0, "")
    assert await_keeper(lock, timedelta()) is KeeperState.FINISHED
    assert keepers_groups() == []
    left = [*living(pids), *marked(marker)]
    assert len(left) >= 3
    here = cgroup.home()
    if control is ProcessControl.CGROUP:
        assert here
        assert set(left) <= set(map(int, (here.path / "cgroup.procs").read_text().split()))


@in_both_ways
@pytest.mark.parametrize("leaves_daemon", [True, False])
def test_keeper_killed_after_the_exit_spares_a_service_only(
    marker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, leaves_daemon: bool
) -> None:
    """The command had exited: what lives is a service, if the step may leave one."""
    monkeypatch.setattr("worker.launch.LAST_WORDS_S", 20.0)  # time for the killer
    lock = tmp_path / "lock"
    killer = f"until grep -q exited {lock}; do :; done; kill -9 $PPID"
    text = f"{DAEMON}; export KEEPER=$PPID; ({killer.replace('$PPID', '$KEEPER')}) & exit 0"
    ending = shell(text, leaves_daemon=leaves_daemon, grace=GRACE, marker=marker, lock_path=lock)
    assert ending.error == "its keeper was killed"
    assert await_keeper(lock, SOON) is KeeperState.EXITED
    assert bool(marked(marker)) == leaves_daemon
    assert keepers_groups() == []


@in_both_ways
@only_groups
def test_kill_one_by_one_ends_a_group_without_the_kernels_stroke(marker: str) -> None:
    """As on Linux before 5.14: frozen first, so that a chain of forks stands still."""
    group = cgroup.make("denrei-one-by-one")
    assert group
    group.take(0)
    argv = [sys.executable, "-ISc", CHAIN]
    with subprocess.Popen(argv, env={"DENREI_STEP": marker}):
        group.above.take(0)
    eventually(lambda: group.is_populated)

    def is_over() -> bool:
        group.kill_one_by_one()
        return not group.is_populated

    eventually(is_over)
    group.remove()
    assert marked(marker) == []
