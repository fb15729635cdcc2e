"""The step rule, case by case: what is observed decides, never what an action says of itself."""

from dataclasses import dataclass

import pytest

from contract.outcome import HostRunState, StepOutcome
from tests.unit.worker.steps import CHECK, FLAG, only_step, outcomes, reports
from tests.worker_host import WorkerHost

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, WOULD, TIMED_OUT = StepOutcome.SKIPPED, StepOutcome.WOULD_CHANGE, StepOutcome.TIMED_OUT


@dataclass(frozen=True)
class Case:
    """A situation of one step, and how the rule says that it ends."""

    says: str
    tool: str
    outcome: StepOutcome
    state: HostRunState = HostRunState.SUCCEEDED
    up: bool = False  # the flag stands before
    check: bool = False
    runbook: str = FLAG
    reason: str = ""
    ran: bool = True


CASES = (
    Case("holds already", "exit 1", OK, up=True, ran=False),
    Case("made to hold", "touch flag", CHANGED),
    Case("holds though it said no", "touch flag; exit 3", CHANGED, reason="although exit code 3"),
    Case("holds though it was killed", "touch flag; kill -9 $$", CHANGED, reason="although"),
    Case("holds a moment later", "(sleep 0.1; touch flag) & wait", CHANGED),
    Case("said yes, does not hold", "exit 0", FAILED, HostRunState.FAILED, reason="not so"),
    Case("said no", "exit 7", FAILED, HostRunState.FAILED, reason="exit code 7"),
    Case("took too long", "sleep 30", TIMED_OUT, HostRunState.FAILED, reason="flag.exists"),
    Case("too long, but holds", "touch flag; sleep 30", CHANGED, reason="although"),
    Case("nothing to do it with", "", FAILED, HostRunState.FAILED, runbook=CHECK, ran=False),
    Case("check: would", "touch flag", WOULD, check=True, ran=False, reason="flag.exists"),
    Case("check: holds", "exit 1", OK, up=True, check=True, ran=False),
    Case("no such program", "", FAILED, HostRunState.FAILED, reason="did not start"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_step_in_each_situation_ends_as_the_rule_says(host: WorkerHost, case: Case) -> None:
    if case.tool:
        host.tool("tool", f"touch ran\n{case.tool}")
    if case.up:
        (host.root / "flag").touch()
    report = host.run(case.runbook, check=case.check)
    step = only_step(report)
    assert (step.outcome, report.outcome, report.state) == (case.outcome, case.outcome, case.state)
    assert case.reason in step.reason
    assert (host.root / "ran").exists() == bool(case.ran and case.tool)
    assert step.evidence == {"flag.exists": (host.root / "flag").exists()}
    assert report.check == case.check


def test_second_run_finds_all_ok_and_does_nothing(host: WorkerHost) -> None:
    """Run it twice: the second is all ok."""
    host.tool("tool", "echo x >> ran; touch flag")
    assert host.run(FLAG).outcome == CHANGED
    assert [r.outcome for r in reports(host, FLAG)] == [CHANGED, OK]
    assert (host.root / "ran").read_text() == "x\n"


def test_exit_code_is_told_beside_the_outcome(host: WorkerHost) -> None:
    host.tool("tool", "touch flag; echo out; echo err >&2; exit 3")
    action = only_step(host.run(FLAG)).action
    assert action is not None
    assert (action.exit_code, action.stdout, action.stderr) == (3, "out\n", "err\n")
    assert action.stdout_bytes == 4


RETRY = FLAG.replace("within: 300ms", "within: 50ms\n    retry: {attempts: 3, delay: 20ms}")


@pytest.mark.parametrize(
    ("needed", "outcome", "tried"), [(1, CHANGED, 1), (3, CHANGED, 3), (4, FAILED, 3)]
)
def test_retry_tries_again_until_it_holds(
    host: WorkerHost, needed: int, outcome: StepOutcome, tried: int
) -> None:
    host.tool("tool", f"echo x >> ran; test $(wc -l < ran) -lt {needed} || touch flag")
    step = only_step(host.run(RETRY))
    assert (step.outcome, step.attempts) == (outcome, tried)
    assert (host.root / "ran").read_text().count("x") == tried


def test_runbook_timeout_ends_retries_and_what_comes_after(host: WorkerHost) -> None:
    """The runbook's time bounds the whole pass, whatever its steps ask for."""
    host.tool("tool", "echo x >> ran")
    slow = FLAG.replace("name: flag", "name: flag\ntimeout: 400ms")
    slow = slow.replace("within: 300ms", "within: 60s\n    retry: {attempts: 5, delay: 60s}")
    report = host.run(slow + "  - {name: later, ensure: flag.exists}\n")
    assert outcomes(report) == [TIMED_OUT, SKIPPED]
    assert (report.outcome, report.state) == (TIMED_OUT, HostRunState.FAILED)
    assert (host.root / "ran").read_text() == "x\n"


def test_runbook_timeout_ends_a_running_command(host: WorkerHost) -> None:
    host.tool("tool", "exec sleep 60")
    slow = FLAG.replace("name: flag", "name: flag\ntimeout: 300ms").replace("400ms", "60s")
    step = only_step(host.run(slow))
    assert step.outcome == TIMED_OUT
    assert step.action is not None
    assert step.action.timed_out


def test_step_sees_that_its_own_action_has_begun(host: WorkerHost) -> None:
    """So "once more, whatever holds" can be said: it acts until it has acted, and no more."""
    host.tool("tool", "echo x >> done")
    forced = FLAG.replace("flag.exists", "run.changed && run.changed_at >= run.accepted_at")
    step = only_step(host.run(forced))
    assert (step.outcome, step.attempts) == (StepOutcome.CHANGED, 1)
    assert (host.root / "done").read_text() == "x\n"
