"""A full or unwritable state directory: told clearly, nothing lost, done once there is room."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import await_child, count_said, stop
from tests.end_to_end.tally import RUNBOOK, Tally, write_runbook
from tests.waiting import eventually

LARGE = 40_000  # bytes of runbook; its order is larger than a file may be
SMALL = 32_000  # bytes to which a file may grow while the disk is "full"
EVENTS = {"courier": "inbox_failed", "executor": "intake_failed"}


@pytest.fixture
def runbook(tmp_path: Path) -> str:
    """The counting runbook with so much comment that its order does not fit."""
    path = tmp_path / "tally.yaml"
    comment = "# a long story\n" * (LARGE // 15)
    path.write_text(RUNBOOK + comment)
    return str(path)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("role", EVENTS)
def test_process_that_may_not_write_says_so_and_goes_on_when_it_may(
    fleet: Fleet, desk: Desk, web2: FleetHost, runbook: str, role: str
) -> None:
    """A quota keeps the order out of the inbox or the ledger; it is not lost, and runs once."""
    tally = Tally(web2)
    log = fleet.services["web2"].log
    os.truncate(log, 0)  # it is to have room also when other files have none
    process = await_child(fleet, "web2", role)
    limit_files(process, SMALL)
    run = desk.detach(runbook, "--host", "web2")
    event = EVENTS[role]
    eventually(lambda: count_said(log, event), within=30, what=event)
    assert desk.show(run.run_id).states == {"web2": "queued"}
    assert tally.begun == []
    limit_files(process, resource.RLIM_INFINITY)
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, {"web2": "changed"})
    assert tally.begun == [run.run_id]
    assert process.is_running()


def limit_files(process: psutil.Process, size: int) -> None:
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class TinyDisk:
    """A megabyte for a host's state, which can be filled to the last byte."""

    def __init__(self, state: Path) -> None:
        self._ballast = state / "ballast"

    def fill(self) -> None:
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                with suppress(OSError):
                    while file.write(b"x" * size):
                        pass

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def web3(fleet: Fleet, tmp_path: Path) -> Iterator[FleetHost]:
    """A further host, whose state is on a tiny disk of its own; mounting one takes root."""
    host = FleetHost(tmp_path / "web3", "web3", fleet.cloud)
    state = host.directory / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(state)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a tiny disk")
    try:
        host.join(fleet.denrei)
        fleet.hosts["web3"] = host
        fleet.start_host("web3")
        fleet.denrei.must("host", "ping", "web3")
        yield host
    finally:
        fleet.denrei.run("host", "revoke", "web3")
        fleet.hosts.pop("web3", None)
        if "web3" in fleet.services:
            stop(fleet, "web3")
        subprocess.run(["umount", str(state)], check=True)


@pytest.mark.timeout(120)
def test_order_for_a_host_with_a_full_disk_runs_once_there_is_room(
    fleet: Fleet, desk: Desk, web3: FleetHost
) -> None:
    """Nothing is accepted that could not be written down; the order comes again until it is."""
    tally, disk = Tally(web3), TinyDisk(web3.directory / "state")
    disk.fill()
    run = desk.detach(write_runbook(fleet.home), "--host", "web3")
    log = fleet.services["web3"].log
    eventually(lambda: "No space left on device" in log.read_text(), within=30, what="the word")
    assert tally.begun == []
    disk.free()
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, {"web3": "changed"})
    assert tally.begun == [run.run_id]


@pytest.mark.timeout(120)
def test_disk_that_fills_up_in_mid_run_costs_neither_the_run_nor_its_report(
    fleet: Fleet, desk: Desk, web3: FleetHost
) -> None:
    """What was done can't be written down at first; it is proved and reported later, not redone."""
    tally, disk = Tally(web3), TinyDisk(web3.directory / "state")
    tally.close_gate()
    run = desk.detach(write_runbook(fleet.home), "--host", "web3")
    tally.await_begun(run.run_id)
    disk.fill()
    tally.open_gate()
    log = fleet.services["web3"].log
    eventually(lambda: "disk is full" in log.read_text(), within=30, what="the word")
    disk.free()
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, {"web3": "changed"})
    assert tally.begun == [run.run_id]
