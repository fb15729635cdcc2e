"""The executor as a process of its own: it listens while it works, parks, and comes back."""

import signal
from pathlib import Path

import pytest

from contract.order import letter_digest
from contract.outcome import HostRunState, StepOutcome
from contract.report import Pong, Receipt, Report
from tests.integration.worker.process import running
from tests.unit.worker.steps import CHECK
from tests.waiting import eventually
from tests.worker_host import WorkerHost

GATED = """\
name: gated
observe:
  one: {file: {path: /one}}
  two: {file: {path: /two}}
steps:
  - name: one
    ensure: one.exists
    do: {command: [/bin/tool, one]}
    within: 500ms
  - name: two
    ensure: two.exists
    do: {command: [/bin/tool, two]}
    within: 500ms
"""
# It says that it runs, then waits until it is let on.
TOOL = 'echo $1 >> witness; echo > "waiting-$1"; read _ < "gate-$1"; touch $1'


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A host whose tool waits at a gate."""
    host = WorkerHost(tmp_path)
    host.tool("tool", f'[ -p "gate-$1" ] || mkfifo "gate-$1"\n{TOOL}')
    return host


def await_tool(host: WorkerHost, name: str) -> None:
    eventually((host.root / f"waiting-{name}").exists, what=f"the tool waits at {name}")


def let_on(host: WorkerHost, name: str) -> None:
    (host.root / f"gate-{name}").write_text("go\n")


def receipts(host: WorkerHost, letter: bytes) -> list[HostRunState]:
    digest = letter_digest(letter)
    return [each.state for each in host.heard(Receipt) if each.order_sha256 == digest]


def test_letters_are_taken_in_while_a_command_runs(host: WorkerHost) -> None:
    """An order that lasts gets its receipt, a second one, too, and a ping its pong."""
    first, second = host.order(GATED), host.order(CHECK)
    with running(host, "executor"):
        host.inbox.put(first)
        await_tool(host, "one")
        eventually(lambda: receipts(host, first) == [HostRunState.RUNNING])
        host.inbox.put(second)
        eventually(lambda: receipts(host, second) == [HostRunState.DELIVERED])
        host.inbox.put(host.ping("ef" * 16))
        (pong,) = eventually(lambda: host.heard(Pong))
        assert pong.waiting == 2
        host.inbox.put(host.order(CHECK, host="web2"))
        eventually(lambda: host.inbox.letters() == [])
        assert host.heard(Report) == []
        let_on(host, "one")
        await_tool(host, "two")
        let_on(host, "two")
        eventually(lambda: len(host.heard(Report)) == 2)
        reports = host.heard(Report)
    by_digest = {report.order_sha256: report for report in reports}
    assert by_digest[letter_digest(first)].outcome == StepOutcome.CHANGED
    assert by_digest[letter_digest(second)].outcome == StepOutcome.FAILED
    assert by_digest[letter_digest(first)].ended_at <= by_digest[letter_digest(second)].started_at


def test_stop_parks_between_two_steps_and_the_next_executor_goes_on(host: WorkerHost) -> None:
    """The step that runs is let come to its end; none is repeated."""
    host.inbox.put(host.order(GATED))
    with running(host, "executor") as executor:
        await_tool(host, "one")
        executor.popen.send_signal(signal.SIGTERM)
        let_on(host, "one")
        assert executor.popen.wait(20) == 0
        assert "run_parked" in executor.log.read_text()
    assert host.heard(Report) == []
    with running(host, "executor"):
        await_tool(host, "two")
        let_on(host, "two")
        report = host.report()
    assert [step.outcome for step in report.passes[0].steps] == [StepOutcome.CHANGED] * 2
    assert [step.interrupted for step in report.passes[0].steps] == [False, False]
    assert (host.root / "witness").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("copies", [1, 2])
def test_kill_in_mid_command_of_the_real_process_is_told_as_unknown(
    host: WorkerHost, copies: int
) -> None:
    letter = host.order(GATED)
    host.inbox.put(letter)
    with running(host, "executor") as executor:
        await_tool(host, "one")
        executor.popen.kill()
        executor.popen.wait()
    if copies == 2:
        host.inbox.put(letter)
    with running(host, "executor"):
        report = host.report(within=20)
    outcomes = [step.outcome for step in report.passes[0].steps]
    assert outcomes == [StepOutcome.UNKNOWN, StepOutcome.SKIPPED]
    assert (host.root / "witness").read_text() == "one\n"


def test_letter_without_a_ring_is_found_all_the_same(host: WorkerHost) -> None:
    """The bell saves time and is needed for nothing."""
    with running(host, "executor") as executor:
        executor.await_log("executor_ready")
        letter = host.order(CHECK)
        (host.config.inbox / f"{letter_digest(letter)}.once").write_bytes(letter)
        assert host.report(within=15).outcome == StepOutcome.FAILED
