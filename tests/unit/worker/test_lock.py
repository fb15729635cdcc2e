"""The lock files: a name for every resource, and one holder at most."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.lock import (
    UNNAMED,
    LockBusyError,
    file_name,
    forget_steps,
    release,
    step_lock,
    take,
)

RESOURCES = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def is_free(path: Path) -> bool:
    """Ask as an operator on the host would."""
    return subprocess.run(["flock", "-n", path, "true"], check=False).returncode == 0


@given(RESOURCES)
@example(".")
@example("..")
@example("executor")
@example("a" * 201)
@example("/" * 400)
def test_name_of_any_resource_is_one_plain_file_name(resource: str) -> None:
    name = file_name(resource)
    assert "/" not in name
    assert "\0" not in name
    assert 1 <= len(name.encode()) <= 255
    assert not name.startswith(".")
    assert name != "executor"


@given(RESOURCES, RESOURCES)
@example("executor", "%65xecutor")
@example(".x", "%2Ex")
@example("", "unnamed")
@example("a" * 201, "a" * 202)
@example("a" * 200, "a" * 136 + "~" + "0" * 64)
def test_two_resources_never_share_a_file(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


def test_name_of_an_ordinary_resource_can_be_typed() -> None:
    assert file_name("service:omsagent") == "service:omsagent"
    assert file_name("file:/etc/x") == "file:%2Fetc%2Fx"
    assert file_name(UNNAMED) == "unnamed"


def test_taken_locks_are_busy_for_everybody_until_released(tmp_path: Path) -> None:
    held = take(tmp_path, ["b", "a", "b"])
    assert len(held) == 2
    assert not is_free(tmp_path / "a")
    with pytest.raises(LockBusyError, match="the lock 'b' is busy"):
        take(tmp_path, ["b"])
    release(held)
    release(take(tmp_path, ["a", "b"]))
    assert is_free(tmp_path / "a")


def test_lock_that_is_busy_leaves_none_of_the_others_taken(tmp_path: Path) -> None:
    """Held by halves, two runs could wait for each other for ever."""
    held = take(tmp_path, ["b"])
    with pytest.raises(LockBusyError, match="the lock 'b' is busy"):
        take(tmp_path, ["c", "b", "a"])
    assert is_free(tmp_path / "a")
    assert is_free(tmp_path / "c")
    release(held)


def test_lock_that_can_not_be_taken_says_why(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(LockBusyError, match=r"the lock 'a' can't be taken: .*Is a directory"):
        take(tmp_path, ["a"])


def test_lock_is_inherited_by_no_program(tmp_path: Path) -> None:
    held = take(tmp_path, ["a"])
    assert not any(os.get_inheritable(lock) for lock in held)
    release(held)


def test_step_locks_of_ended_runs_go_unless_something_holds_them(tmp_path: Path) -> None:
    for run_id in ("OPEN", "ENDED", "HELD"):
        step_lock(tmp_path, run_id).touch()
    held = os.open(step_lock(tmp_path, "HELD"), os.O_RDWR)
    os.set_inheritable(held, True)  # noqa: FBT003 - a C signature
    keeper = subprocess.Popen(["flock", str(held)], pass_fds=[held], stdin=subprocess.DEVNULL)
    assert keeper.wait() == 0  # it locked the open file that we share
    release(take(tmp_path, ["a resource"]))
    forget_steps(tmp_path, ["OPEN"])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".step-OPEN", ".step-HELD", "a%20resource"}
    os.close(held)
