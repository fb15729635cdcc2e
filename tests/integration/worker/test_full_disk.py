"""A disk that is really full: nothing is accepted, nothing is lost, and it passes."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.outcome import StepOutcome
from tests.integration.worker.process import running
from tests.unit.worker.steps import FLAG
from tests.worker_host import WorkerHost


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take every block that is left."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    return ballast


def test_full_disk_accepts_nothing_and_loses_nothing(small_disk: Path) -> None:
    """The executor says why and may be started again; with room again the order is carried out."""
    host = WorkerHost(small_disk)
    host.tool("tool", "touch flag")
    host.inbox.put(host.order(FLAG))
    ballast = fill(small_disk)
    process = host.start("executor")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1  # 78 would keep a supervisor from trying again
    (line,) = errors.splitlines()
    assert "is the disk full?" in line
    assert len(host.inbox.letters()) == 1
    assert host.said() == []
    ballast.unlink()
    with running(host, "executor"):
        assert host.report(within=20).outcome == StepOutcome.CHANGED
