"""Control groups: found, made and emptied, and named so that a recovery finds them again."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import eventually
from worker.cgroup import Cgroup, find, home, make
from worker.process_control import ProcessControl, process_control
from worker.process_tree import marked, sweep
from worker.spawn import MARKER, group_name

with_groups = pytest.mark.parametrize("control", [ProcessControl.CGROUP], indirect=True)


def test_process_control_tells_what_is_possible_here(control: ProcessControl) -> None:
    """The fixture lets the kernel refuse, or not."""
    assert process_control() is control
    assert find(f"denrei-trial:{os.getpid()}") is None


@with_groups
@pytest.mark.usefixtures("control")
def test_make_group_is_below_ours_and_goes_when_removed() -> None:
    group = make("denrei-own")
    assert group
    assert group.above == home()
    assert find("denrei-own") == group
    assert not group.is_populated
    group.remove()
    assert find("denrei-own") is None


@with_groups
@pytest.mark.usefixtures("control")
def test_sweep_ends_groups_below_a_group_too() -> None:
    """A command may make some of its own, such as a container's."""
    here = home()
    assert here
    outer = here.make(group_name("step:1", None))
    inner = outer.make("inner")
    with in_group(inner) as process:
        assert outer.members() == [process.pid]
        assert outer.is_populated
        assert sweep("step:1") == 1
    assert not outer.path.exists()


@with_groups
@pytest.mark.usefixtures("control")
def test_members_of_a_group_that_is_gone_are_none() -> None:
    gone = Cgroup(Path("/sys/fs/cgroup/denrei-gone"))
    gone.kill()
    gone.remove()
    assert gone.members() == []
    assert not gone.is_populated


def test_home_of_nobody_is_none() -> None:
    assert home("0") is None


def test_marked_of_a_step_finds_every_attempt_and_of_an_attempt_only_that() -> None:
    with subprocess.Popen(["/bin/sleep", "91"], env={MARKER: "run:0:1:2"}) as process:
        eventually(lambda: marked("run:0:1:2") == [process.pid])
        assert marked("run:0:1") == [process.pid]
        assert marked("run:0:1:1") == marked("run:0:1:22") == []
        process.kill()


@given(st.text(max_size=300), st.text(alphabet="ab/é", min_size=1, max_size=20))
def test_group_name_of_any_marker_is_a_name_for_files_and_units(marker: str, lock: str) -> None:
    name = group_name(marker, Path(lock))
    assert len(name.encode()) <= 200
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-")
    assert name.startswith("denrei-")
    assert name != group_name(marker, Path(lock, "another"))


def in_group(group: Cgroup | None) -> "subprocess.Popen[bytes]":
    """Start a process in a group."""
    assert group
    process = subprocess.Popen(["/bin/sleep", "90"])
    group.take(process.pid)
    return process
