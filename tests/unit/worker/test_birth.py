"""Births: a keeper is in its group from the first instant."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.cgroup import Cgroup, make
from worker.process_control import ProcessControl

ROOT = Path(__file__).parents[3]
NO_SUCH_CALL = 100_000  # the kernel answers ENOSYS, as an old one to clone3

with_groups = pytest.mark.parametrize("control", [ProcessControl.CGROUP], indirect=True)


@pytest.fixture
def group(control: ProcessControl) -> Iterator[Cgroup]:
    assert control is ProcessControl.CGROUP
    group = make(f"denrei-birth:{os.getpid()}")
    assert group
    yield group
    group.remove()


FORK = """
import os, sys
from pathlib import Path
import worker.birth
from worker.cgroup import Cgroup
{before}
group = Cgroup(Path(sys.argv[1])) if sys.argv[1] else None
pid, told = worker.birth.fork_into(group)
if pid == 0:
    print(Path("/proc/self/cgroup").read_text(), "told" if told else "", flush=True)
    os._exit(0)
sys.exit(os.waitpid(pid, 0)[1])
"""

# Forks again and again beside a thread that has memory at work outside of Python's lock.
FORK_BESIDE = """
import os, sqlite3, sys, threading
from pathlib import Path
from worker.birth import fork_into
from worker.cgroup import Cgroup
def work():
    memory = sqlite3.connect(":memory:")
    while True:
        memory.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300)"
                       " SELECT group_concat(hex(zeroblob(x))) FROM n").fetchall()
threading.Thread(target=work, daemon=True).start()
for _ in range(400):
    pid, told = fork_into(Cgroup(Path(sys.argv[1])))
    if pid == 0:
        bytearray(1000)
        os._exit(0 if told else 1)
    assert os.waitpid(pid, 0)[1] == 0
os._exit(0)
"""


def seen_by_child_of(group: Cgroup | None, before: str = "") -> tuple[str, Cgroup | None]:
    """Return the group in which a fork finds itself, and the one that it is told of.

    Forked by a process of one thread, which that of the tests is not always.
    """
    text = python(FORK.format(before=before), group)
    return text, group if text.endswith("told\n") else None


def python(code: str, group: Cgroup | None, **env: str) -> str:
    """Run code in a process of its own with the path of a group; return what it says."""
    argv = [sys.executable, "-c", code, str(group.path) if group else ""]
    return subprocess.run(
        argv, env=os.environ | env, cwd=ROOT, check=True, capture_output=True, text=True, timeout=30
    ).stdout


@with_groups
def test_fork_into_a_group_is_born_there(group: Cgroup) -> None:
    text, told = seen_by_child_of(group)
    assert group.path.name in text
    assert told == group
    assert not group.is_populated


@with_groups
def test_fork_into_a_group_from_one_thread_needs_no_move(group: Cgroup) -> None:
    assert seen_by_child_of(group, "os.fork = None")[1] == group


@with_groups
def test_fork_into_kernel_without_clone3_the_child_moves_itself(group: Cgroup) -> None:
    text, told = seen_by_child_of(group, f"worker.birth._SYS_CLONE3 = {NO_SUCH_CALL}")
    assert group.path.name in text
    assert told == group


@with_groups
def test_fork_into_beside_a_thread_that_holds_the_heap_the_child_can_use_it(group: Cgroup) -> None:
    """With one arena for all, one of 400 children waited for ever."""
    python(FORK_BESIDE, group, MALLOC_ARENA_MAX="1")


@with_groups
def test_fork_into_group_that_is_gone_the_child_knows_that_it_is_in_none(group: Cgroup) -> None:
    assert seen_by_child_of(Cgroup(group.path / "gone"))[1] is None


def test_fork_into_no_group_is_a_fork() -> None:
    assert seen_by_child_of(None)[1] is None
