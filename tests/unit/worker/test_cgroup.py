"""Control groups: found, made and emptied."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.waiting import eventually
from worker.cgroup import Cgroup, find, home, make
from worker.process_control import ProcessControl, process_control
from worker.process_tree import marked, sweep
from worker.spawn import MARKER

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
    outer = here.make("denrei-outer")
    inner = outer.make("inner")
    with in_group(inner) as process:
        assert outer.members() == [process.pid]
        assert outer.is_populated
        assert sweep("", outer) == 1
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


def in_group(group: Cgroup | None) -> "subprocess.Popen[bytes]":
    """Start a process in a group."""
    assert group
    process = subprocess.Popen(["/bin/sleep", "90"])
    group.take(process.pid)
    return process
