"""Rescue: what is tried when a step failed, and what the step is then called."""

import pytest

from contract.outcome import HostRunState, StepOutcome
from contract.report import StepReport
from tests.unit.worker.lives import KILL_EXECUTOR, deliver, live, witnesses
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.process_tree import marked

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, UNKNOWN = StepOutcome.SKIPPED, StepOutcome.UNKNOWN
TIMED_OUT, BACK = StepOutcome.TIMED_OUT, StepOutcome.ROLLED_BACK

# A daemon in files: what it serves is what it read, and the pair on disk may be bad.
LADDER = """\
name: ladder
lock: service:x
observe:
  served: {file: {path: /served, match: "new|old"}}
  pair: {file: {path: /pair, match: "new|old"}}
  restarted: {file: {path: /restarted}}
steps:
  - name: served is what is on disk
    ensure: served.exists && pair.exists && served.matched == pair.matched
    do: {command: [/bin/reload]}
    within: 50ms
    rescue:
      - name: restarted
        ensure: restarted.exists
        do: {command: [/bin/restart]}
        within: 50ms
      - name: the earlier pair is back
        ensure: pair.exists && pair.matched == "old"
        do: {command: [/bin/back]}
        within: 50ms
        rolls_back: true
      - name: the earlier pair is served
        ensure: served.exists && served.matched == "old"
        do: {command: [/bin/again]}
        within: 50ms
        rolls_back: true
  - name: after
    ensure: "1 == 1"
"""


@pytest.fixture
def daemon(host: WorkerHost) -> WorkerHost:
    """A host whose daemon serves the old pair while the new one is on disk."""
    (host.root / "served").write_text("old\n")
    (host.root / "pair").write_text("new\n")
    tools = {
        "reload": "exit 1",
        "restart": "touch restarted; cp pair served",
        "back": "echo old > pair",
        "again": "echo old > served",
    }
    for name, script in tools.items():
        host.tool(name, f"echo {name} >> witness\n{script}")
    return host


def told(step: StepReport) -> list[StepOutcome]:
    return [rescuing.outcome for rescuing in step.rescue]


def ran(host: WorkerHost) -> list[str]:
    path = host.root / "witness"
    return path.read_text().split() if path.exists() else []


def steps(host: WorkerHost, runbook: str = LADDER, *, check: bool = False) -> list[StepReport]:
    return host.run(runbook, check=check).passes[0].steps


def test_step_that_holds_needs_no_rescue(daemon: WorkerHost) -> None:
    daemon.tool("reload", "cp pair served")
    step, after = steps(daemon)
    assert (step.outcome, step.rescue, after.outcome) == (CHANGED, [], OK)


def test_rescue_that_reaches_the_state_another_way_makes_the_step_changed(
    daemon: WorkerHost,
) -> None:
    step, after = steps(daemon)
    assert (step.outcome, told(step)) == (CHANGED, [CHANGED, SKIPPED, SKIPPED])
    assert "its rescue made it hold" in step.reason
    assert "exit code 1" in step.reason
    assert "no longer needed" in step.rescue[1].reason
    assert (after.outcome, ran(daemon)) == (OK, ["reload", "restart"])


def test_rescue_that_puts_the_earlier_state_back_is_rolled_back_and_ends_the_pass(
    daemon: WorkerHost,
) -> None:
    """The earlier pair fits the step's own `ensure`, too: that must not be called changed."""
    daemon.tool("restart", "touch restarted")
    report = daemon.run(LADDER)
    step, after = report.passes[0].steps
    assert (daemon.root / "served").read_text() == (daemon.root / "pair").read_text()
    assert (step.outcome, told(step)) == (BACK, [CHANGED, CHANGED, OK])
    assert (report.outcome, report.state) == (BACK, HostRunState.FAILED)
    assert (after.outcome, after.reason) == (SKIPPED, f"{step.name!r} ended this pass")


def test_rescue_step_that_fails_hands_over_to_the_next(daemon: WorkerHost) -> None:
    """A service that does not even start with the new pair must still be rolled back."""
    daemon.tool("restart", "rm served")
    step, _ = steps(daemon)
    assert (step.outcome, told(step)) == (BACK, [FAILED, CHANGED, CHANGED])


def test_rollback_that_fails_ends_the_rescue_and_leaves_the_step_failed(
    daemon: WorkerHost,
) -> None:
    """Served again from a pair that was not put back is worse than left alone."""
    daemon.tool("restart", "rm served")
    daemon.tool("back", "exit 1")
    step, _ = steps(daemon)
    assert (step.outcome, told(step)) == (FAILED, [FAILED, FAILED, SKIPPED])
    assert "the rollback failed at 'the earlier pair is back'" in step.reason
    assert "again" not in ran(daemon)


def test_rescue_that_does_not_help_leaves_the_step_failed(daemon: WorkerHost) -> None:
    """Rescue steps that hold don't make a step whose state does not hold any better."""
    only_restart = LADDER.partition("      - name: the earlier pair is back")[0]
    daemon.tool("restart", "touch restarted")
    (step,) = steps(daemon, only_restart)
    assert (step.outcome, told(step)) == (FAILED, [CHANGED])
    assert "its rescue did not help" in step.reason


def test_rescue_of_a_step_that_timed_out_runs(daemon: WorkerHost) -> None:
    daemon.tool("reload", "exec sleep 60")
    step, _ = steps(daemon, LADDER.replace("within: 50ms", "within: 50ms\n    timeout: 100ms", 1))
    assert (step.outcome, told(step)[0]) == (CHANGED, CHANGED)


def test_rescue_of_a_step_nobody_can_judge_does_not_run(daemon: WorkerHost) -> None:
    """Not knowing is no reason to act."""
    (daemon.root / "served").unlink()
    (daemon.root / "served").mkdir()
    step, _ = steps(daemon)
    assert (step.outcome, step.rescue, ran(daemon)) == (UNKNOWN, [], [])


def test_rescue_ends_where_nobody_can_judge_it(daemon: WorkerHost) -> None:
    runbook = LADDER.replace("ensure: restarted.exists", "ensure: restarted.exists && pair.exists")
    daemon.tool("restart", "touch restarted; rm pair; mkdir pair")
    step, _ = steps(daemon, runbook)
    assert (step.outcome, told(step)) == (FAILED, [UNKNOWN, SKIPPED, SKIPPED])
    assert "ended this rescue" in step.rescue[1].reason


def test_rescue_in_check_mode_is_told_and_not_run(daemon: WorkerHost) -> None:
    looks = LADDER.replace("    do: {command: [/bin/reload]}\n    within: 50ms\n", "")
    step, _ = steps(daemon, looks, check=True)
    assert (step.outcome, told(step)) == (FAILED, [SKIPPED] * 3)
    assert {rescuing.reason for rescuing in step.rescue} == {"check mode: it would be tried"}
    assert ran(daemon) == []


def test_rescue_of_a_step_that_only_looks_is_its_action(daemon: WorkerHost) -> None:
    looks = LADDER.replace("    do: {command: [/bin/reload]}\n    within: 50ms\n", "")
    step, after = steps(daemon, looks)
    assert (step.outcome, step.attempts, told(step)[0]) == (CHANGED, 0, CHANGED)
    assert after.outcome == OK


def test_rescue_has_no_more_time_than_the_run(daemon: WorkerHost) -> None:
    daemon.tool("reload", "exec sleep 60")
    step, after = steps(daemon, LADDER.replace("lock:", "timeout: 200ms\nlock:"))
    assert (step.outcome, told(step), after.outcome) == (TIMED_OUT, [SKIPPED] * 3, SKIPPED)
    assert "time is over" in step.rescue[0].reason


@pytest.mark.parametrize(
    ("rerun", "outcome"), [("", FAILED), ("        on_interrupt: rerun\n", BACK)]
)
def test_rescue_cut_off_goes_on_and_the_step_itself_is_not_tried_again(
    daemon: WorkerHost, rerun: str, outcome: StepOutcome
) -> None:
    """The executor dies while the earlier pair is put back."""
    daemon.tool("restart", "touch restarted")
    cut = f"echo back >> witness; [ -e cut ] || {{ touch cut; {KILL_EXECUTOR}; sleep 60; }}"
    daemon.tool("back", f"{cut}; echo old > pair")
    runbook = LADDER.replace("        rolls_back: true\n", f"{rerun}        rolls_back: true\n", 1)
    deliver(daemon, runbook)
    assert not live(daemon)
    assert live(daemon)
    step, _ = daemon.report().passes[0].steps
    back = step.rescue[1]
    assert (step.outcome, back.interrupted) == (outcome, True)
    assert back.outcome == (CHANGED if rerun else UNKNOWN)
    assert (witnesses(daemon, "reload"), witnesses(daemon, "back")) == (1, 2 if rerun else 1)


def test_rescue_cut_off_after_it_put_things_back_is_still_a_rollback(daemon: WorkerHost) -> None:
    """By then the step's own state holds again, by the earlier pair: it is not called changed."""
    (daemon.root / "served").write_text("new\n")
    (daemon.root / "pair").write_text("old\n")  # the first step of the rollback only looks
    daemon.tool("restart", "rm served")
    daemon.tool("again", f"echo old > served; [ -e cut ] || {{ touch cut; {KILL_EXECUTOR}; }}")
    deliver(daemon, LADDER)
    assert not live(daemon)
    assert live(daemon)
    step = daemon.report().passes[0].steps[0]
    assert (step.outcome, told(step)) == (BACK, [FAILED, OK, CHANGED])


def test_rescue_cut_off_leaves_no_secret_and_no_process_behind(daemon: WorkerHost) -> None:
    """Whatever a step of a rescue has written or started is found as any other step's is."""
    (daemon.root / "etc").mkdir()
    stray = "setsid sleep 61 < /dev/null > /dev/null 2>&1 &"
    daemon.tool("restart", f"{stray}\ntouch restarted; {KILL_EXECUTOR}; kill -9 $PPID; sleep 60")
    runbook = LADDER.replace("lock:", "params: {key: {secret: true}}\nlock:").replace(
        "do: {command: [/bin/restart]}",
        'do: {command: [/bin/restart], files: [{path: /etc/key, content: "${params.key}"}]}',
    )
    deliver(daemon, runbook)
    assert not live(daemon)
    assert (daemon.root / "etc/key").exists()
    with daemon.executor() as executor:
        (entry,) = executor._ledger.open_orders()
    assert marked(f"{entry.run_id}:0:0:1")
    assert live(daemon)
    assert not (daemon.root / "etc/key").exists()
    eventually(lambda: not marked(f"{entry.run_id}:0:0:1"), what="nothing of the rescue lives")
    assert daemon.report().passes[0].steps[0].rescue[0].reason == "proved after interruption"


LOOKS = """\
name: looks
observe: {a: {file: {path: /a}}, b: {file: {path: /b}}}
steps:
  - name: one
    ensure: a.exists
    rescue:
      - name: two
        ensure: b.exists
        do: {command: [/bin/both]}
        within: 100ms
        on_interrupt: rerun
"""


def test_rescue_cut_off_of_a_step_that_only_looked_is_still_told(daemon: WorkerHost) -> None:
    """Its failure is written down before the rescue begins, though nothing had been done yet."""
    daemon.tool("both", f"touch a b; {KILL_EXECUTOR}; sleep 60")
    deliver(daemon, LOOKS)
    assert not live(daemon)
    assert live(daemon)
    step = daemon.report().passes[0].steps[0]
    (two,) = step.rescue
    assert (step.outcome, two.outcome, two.interrupted) == (CHANGED, CHANGED, True)
