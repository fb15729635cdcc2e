"""What a processor is asked for, counted by valgrind's callgrind: the same however fast it is."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

import pytest

from contract.report import Report
from lab.command import find_script
from tests.counts.three_steps import THREE_STEPS
from tests.integration.tls.debian import Program, program
from tests.waiting import eventually
from tests.worker_host import SCRIPT, WorkerHost

pytestmark = pytest.mark.timeout(180)  # it is fifty times slower there

TWO_STEPS = THREE_STEPS.partition("  - name: the command")[0]  # no process is born in there
MORE = 4


@pytest.fixture(scope="module")
def valgrind() -> Program:
    return program("valgrind", "valgrind")


@contextmanager
def counting(valgrind: Program, log: Path, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Python program under callgrind for a while."""
    tool = (str(valgrind.path), "--tool=callgrind", "--callgrind-out-file=/dev/null")
    argv = [*tool, f"--log-file={log}", sys.executable, *command]
    tools = valgrind.path.parents[1] / "libexec/valgrind"  # also where it was only unpacked
    environment = {**os.environ, "VALGRIND_LIB": str(tools)}
    with subprocess.Popen(argv, env=environment, stdout=DEVNULL, stderr=DEVNULL) as popen:
        try:
            yield popen
        finally:
            popen.kill()


def counted(log: Path) -> int:
    """Return how many instructions a program took that has ended."""
    (count,) = re.findall(r"Collected : (\d+)", log.read_text())
    return int(count)


def test_help_takes_a_bounded_number_of_instructions(tmp_path: Path, valgrind: Program) -> None:
    """Guards `denrei --help`: 209 million, from the start of Python to its end."""
    log = tmp_path / "log"
    with counting(valgrind, log, str(find_script("denrei")), "--help") as popen:
        assert popen.wait(60) == 0
    assert 10_000_000 < counted(log) <= 280_000_000


def life(directory: Path, valgrind: Program, orders: int) -> int:
    """Return the instructions of an executor's life in which it got orders."""
    host, log = WorkerHost(directory), directory / "log"
    (host.root / "srv").mkdir()
    command = (str(SCRIPT), "--config", str(host.config.path), "executor")
    with counting(valgrind, log, *command) as popen:
        for number in range(1, orders + 1):
            host.inbox.put(host.order(TWO_STEPS, params={"number": number}))
            eventually(lambda: len(host.heard(Report)) == number, within=60, what="a report")  # noqa: B023
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(60) == 0
    assert [report.outcome for report in host.heard(Report)] == ["changed"] * orders
    return counted(log)


def test_host_run_takes_a_bounded_number_of_instructions(tmp_path: Path, valgrind: Program) -> None:
    """Guards the executor: 9.3 million for a run of two steps, each of which writes a file."""
    one = life(tmp_path / "one", valgrind, 1)
    more = life(tmp_path / "more", valgrind, 1 + MORE)
    assert 1_000_000 < (more - one) / MORE <= 12_500_000
