"""A run's time: it bounds every step, pass and look, also across a crash and a reboot."""

from datetime import timedelta

import pytest

from contract.outcome import HostRunState, StepOutcome
from tests.unit.worker.lives import KILL_EXECUTOR, deliver, live
from tests.unit.worker.steps import only_step, outcomes
from tests.worker_host import WorkerHost
from worker.deadline import deadline_of
from worker.ledger import Entry
from worker.proc import boot_clock, boot_id

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, UNKNOWN, TIMED_OUT = StepOutcome.SKIPPED, StepOutcome.UNKNOWN, StepOutcome.TIMED_OUT

HANGS = """\
name: hangs
timeout: 200ms
observe:
  slow: {command: {argv: [/bin/slow], timeout: 60s}}
steps:
  - name: looks
    ensure: slow.exists && slow.exit_code == 0
  - name: later
    ensure: "1 == 1"
"""


def test_observation_that_hangs_ends_with_the_time_of_the_run(host: WorkerHost) -> None:
    """Its own bound is longer than what the run has left."""
    host.tool("slow", "exec sleep 60")
    report = host.run(HANGS)
    assert outcomes(report) == [TIMED_OUT, SKIPPED]
    step, later = report.passes[0].steps
    assert "the runbook's time is over" in step.reason
    assert "still running" in step.reason
    assert later.reason == "the runbook's time is over"
    assert report.ended_at - (report.started_at or 0) < 20_000


def test_time_that_is_over_between_two_steps_is_told_by_the_next(host: WorkerHost) -> None:
    """Also of a runbook that changes nothing: no answer after its time is over."""
    host.tool("slow", "sleep 0.5")
    report = host.run(HANGS.replace("timeout: 200ms", "timeout: 400ms"))
    first, later = report.passes[0].steps
    assert (first.outcome, later.outcome) in [(OK, TIMED_OUT), (TIMED_OUT, SKIPPED)]
    assert report.state == HostRunState.FAILED


PASSES = """\
name: passes
timeout: 300ms
for_each: {place: {list: [a, b, c]}}
observe:
  flag: {file: {path: "/${place.name}"}}
steps:
  - name: flag
    ensure: flag.exists
    do: {command: [/bin/tool, "${place.name}"]}
    within: 100ms
"""


def test_time_that_is_over_in_one_pass_skips_all_others(host: WorkerHost) -> None:
    host.tool("tool", "echo $1 >> ran; exec sleep 60")
    report = host.run(PASSES)
    assert outcomes(report) == [TIMED_OUT, SKIPPED, SKIPPED]
    assert (host.root / "ran").read_text() == "a\n"


def test_step_timeout_ends_that_pass_and_not_the_others(host: WorkerHost) -> None:
    host.tool("tool", "case $1 in a) exec sleep 60;; *) touch $1;; esac")
    slow = PASSES.replace("timeout: 300ms\n", "", 1).replace(
        "within: 100ms", "within: 1s\n    timeout: 1s"
    )
    assert outcomes(host.run(slow)) == [TIMED_OUT, CHANGED, CHANGED]


RETRY = """\
name: retry
timeout: 400ms
observe: {flag: {file: {path: /flag}}}
steps:
  - name: flag
    ensure: flag.exists
    do: {command: [/bin/tool]}
    within: 50ms
    retry: {attempts: 3, delay: 60s}
"""


def test_retry_delay_does_not_outlast_the_run(host: WorkerHost) -> None:
    host.tool("tool", "echo x >> ran; exit 7")
    step = only_step(host.run(RETRY))
    assert (step.outcome, step.attempts) == (TIMED_OUT, 1)
    assert (host.root / "ran").read_text() == "x\n"
    assert "the runbook's time is over" in step.reason


def test_retry_tells_what_each_attempt_came_to(host: WorkerHost) -> None:
    host.tool("tool", "echo x >> ran; n=$(wc -l < ran); [ $n -lt 3 ] || touch flag; exit $n")
    step = only_step(host.run(RETRY.replace("400ms", "30s").replace("delay: 60s", "delay: 10ms")))
    assert (step.outcome, step.attempts) == (CHANGED, 3)
    assert step.earlier == [
        "attempt 1: exit code 1, and the state did not hold",
        "attempt 2: exit code 2, and the state did not hold",
    ]
    assert step.action
    assert step.action.exit_code == 3


def test_retry_does_not_repeat_what_took_effect_during_the_delay(host: WorkerHost) -> None:
    """The command is slow to take effect: a second one would be one too many."""
    host.tool("tool", "echo x >> ran; (sleep 0.3; touch flag) < /dev/null > /dev/null 2>&1 &")
    slow = RETRY.replace("400ms", "30s").replace("delay: 60s", "delay: 800ms")
    slow = slow.replace("[/bin/tool]}", "[/bin/tool], leaves_daemon: true}")
    step = only_step(host.run(slow))
    assert (step.outcome, step.attempts) == (CHANGED, 1)


def test_time_that_went_by_while_the_machine_was_down_counts(host: WorkerHost) -> None:
    """The step that was cut off is looked at once; nothing else is."""
    host.tool("tool", f"echo $1 >> ran; {KILL_EXECUTOR}; sleep 60")
    deliver(host, PASSES.replace("300ms", "1h") + "  - {name: more, ensure: flag.exists}\n")
    assert not live(host)
    with host.executor() as executor:
        executor._ledger._file.connection.execute(
            "UPDATE orders SET boot_id = 'before the reboot', started_at = started_at - 7200000"
        )
    assert live(host)
    report = host.report()
    assert outcomes(report) == [UNKNOWN, SKIPPED, TIMED_OUT, SKIPPED, SKIPPED, SKIPPED]
    assert (host.root / "ran").read_text() == "a\n"


CLOSED = """\
name: closed
observe:
  worth: {file: {path: /worth}}
  flag: {file: {path: /flag}}
  other: {file: {path: /other}}
steps:
  - {name: worth it, ensure: worth.exists}
  - name: flag
    ensure: flag.exists
    do: {command: [/bin/flag]}
    within: 100ms
  - name: other
    ensure: other.exists
    do: {command: [/bin/other]}
    within: 100ms
    on_interrupt: rerun
  - {name: last, ensure: other.exists}
"""


@pytest.mark.parametrize(("leaves", "outcome"), [("touch other", CHANGED), ("true", UNKNOWN)])
def test_look_that_fails_after_a_crash_hides_nothing_that_was_done_before(
    host: WorkerHost, leaves: str, outcome: StepOutcome
) -> None:
    """The first step only looked, and now looks different: what came after it did happen."""
    (host.root / "worth").touch()
    host.tool("flag", "touch flag")
    host.tool("other", f"echo x >> ran; {leaves}; rm worth; {KILL_EXECUTOR}; sleep 60")
    deliver(host, CLOSED)
    assert not live(host)
    assert live(host)
    report = host.report()
    assert outcomes(report) == [FAILED, CHANGED, outcome, SKIPPED]
    assert report.passes[0].steps[2].interrupted
    assert (host.root / "ran").read_text() == "x\n"


def entry(**changes: object) -> Entry:
    members = {
        "run_id": "RUN",
        "digest": "digest",
        "letter": b"",
        "accepted_at": 0,
        "started_at": 0,
        "boot_id": boot_id(),
        "boot_time": boot_clock(),
        "interruptions": 0,
    }
    return Entry(**(members | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("clock", [-10_000_000, 0, 10_000_000])
def test_deadline_within_one_boot_is_not_moved_by_the_wall_clock(clock: int) -> None:
    begun = entry(started_at=clock, boot_time=1000.0)
    assert deadline_of(begun, timedelta(seconds=60)) == 1060.0


def test_deadline_after_a_reboot_never_gives_more_than_the_whole_time() -> None:
    """Also if the wall clock was set back: a run does not gain time by a reboot."""
    from_the_future = entry(started_at=4_000_000_000_000, boot_id="another")
    left = deadline_of(from_the_future, timedelta(seconds=60)) - boot_clock()
    assert 59 < left <= 60
