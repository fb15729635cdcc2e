"""`denrei demo`: the whole story with its evidence, and nothing left when it is over."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lab.command import Script
from tests.integration.tls.debian import program
from tests.waiting import eventually

HOSTS = {"lab-1", "lab-2", "lab-3"}
STAGES = {
    "healthy": {"outcome", "pid", "not_before", "not_after"},
    "stale": {"upload_status"},
    "check": {"outcome", "pid", "not_before", "not_after"},
    "restart": {"outcome", "upload_status", "pid", "not_before", "not_after"},
    "restart_again": {"outcome", "pid", "not_before", "not_after"},
    "reonboard": {"outcome", "upload_status", "pid", "not_before", "not_after"},
}
WEB = {"lab-1": {"outcome": "changed", "before": "stale_in_memory", "verdict": "fresh"}}


def left_running(directory: Path) -> list[str]:
    """Name the processes that have a directory in their command line, or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            places = [*process.cmdline(), process.cwd()]
        except psutil.Error:
            continue
        if any(str(directory) in place for place in places):
            found.append(f"{process.pid}: {places}")
    return found


@pytest.fixture
def path_with_nginx(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which there is an nginx."""
    found, folder = program("nginx", "nginx"), tmp_path_factory.mktemp("bin")
    (folder / "nginx").write_text(f'#!/bin/sh\n{found.environment}exec {found.path} "$@"\n')
    (folder / "nginx").chmod(0o755)
    return os.pathsep.join((os.environ["PATH"], str(folder)))


@pytest.mark.timeout(180)
def test_demo_observes_every_stage_and_leaves_nothing_behind(
    tmp_path: Path, path_with_nginx: str
) -> None:
    """Evidence for each stage and host in the last line; no process and no file stays."""
    done = Script("denrei", {"TMPDIR": str(tmp_path), "PATH": path_with_nginx}).run(
        "demo", "--json", within=170
    )
    assert done.code == 0, done.err + done.out
    told = json.loads(done.out.splitlines()[-1])
    assert told["ok"] is True
    assert list(told["stages"]) == [*STAGES, "nginx", "audit"]
    assert told["stages"]["nginx"]["hosts"] == WEB
    assert all(stage["observed"] is True for stage in told["stages"].values())
    for name, evidence in STAGES.items():
        hosts = told["stages"][name]["hosts"]
        assert set(hosts) == HOSTS
        assert all(evidence <= set(facts) for facts in hosts.values())
    assert left_running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def interrupted(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A demo under way, with a Redis and a first agent at work."""
    service = Script("denrei", {"TMPDIR": str(tmp_path)}).start(tmp_path / "log", "demo")
    eventually(
        lambda: any("omsagent.pid" in line for line in left_running(tmp_path)),
        within=60,
        what="the demo's first agent",
    )
    yield service.process
    service.stop()


@pytest.mark.timeout(120)
def test_demo_interrupted_leaves_nothing_running(
    interrupted: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """Ctrl-C in the middle ends all that was started, and removes its files."""
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(60) == 130
    assert left_running(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
