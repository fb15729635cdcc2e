"""Cancelling with `--kill`: the command ends now, and its step is told as it is then found."""

import signal

import pytest

from contract.order import letter_digest
from contract.outcome import HostRunState, StepOutcome
from tests.unit.worker.steps import FLAG, only_step, outcomes, post_from_tool
from tests.worker_host import WorkerHost

CANCELLED, CHANGED, UNKNOWN = StepOutcome.CANCELLED, StepOutcome.CHANGED, StepOutcome.UNKNOWN
SLOW = FLAG.replace("timeout: 400ms", "timeout: 1h").replace("within: 300ms", "within: 1h")


def test_kill_ends_the_command_that_runs_and_tells_the_step_cancelled(host: WorkerHost) -> None:
    order = host.order(SLOW)
    host.tool("tool", f"{post_from_tool(host, host.cancel(order, kill=True))}; exec sleep 1000")
    host.inbox.put(order)
    host.work()
    report = host.report()
    step = only_step(report)
    assert (report.state, step.outcome) == (HostRunState.CANCELLED, CANCELLED)
    assert step.action is not None
    assert step.action.signal == signal.SIGTERM
    assert step.reason.endswith("(ended because the run was cancelled: 1 processes ended)")


@pytest.mark.parametrize(
    "last",
    ["exec sleep 1000", "trap 'exit 0' TERM; while :; do sleep 0.01; done"],
    ids=["killed", "exit code 0"],
)
def test_kill_of_a_command_whose_state_holds_is_told_changed(host: WorkerHost, last: str) -> None:
    """Never silently: what the killed command said of itself stands beside it."""
    order = host.order(SLOW)
    post = post_from_tool(host, host.cancel(order, kill=True))
    host.tool("tool", f"touch flag; {post}; {last}")
    host.inbox.put(order)
    host.work()
    step = only_step(host.report())
    assert step.outcome is CHANGED
    assert step.reason.startswith("the state holds, although ended because the run was cancelled")


def test_kill_leaves_every_later_step_cancelled_and_not_skipped(host: WorkerHost) -> None:
    later = "  - name: later\n    ensure: flag.exists\n"
    order = host.order(SLOW + later)
    host.tool("tool", f"{post_from_tool(host, host.cancel(order, kill=True))}; exec sleep 1000")
    host.inbox.put(order)
    host.work()
    assert outcomes(host.report()) == [CANCELLED, CANCELLED]


def test_kill_of_a_command_whose_state_can_not_be_seen_is_unknown(host: WorkerHost) -> None:
    look = SLOW.replace("{file: {path: /flag}}", "{command: [/bin/look]}")
    order = host.order(look.replace("flag.exists", "flag.exists && flag.exit_code == 0"))
    post = post_from_tool(host, host.cancel(order, kill=True))
    host.tool("look", "exit 1")
    host.tool("tool", f"rm bin/look; mkdir bin/look; {post}; exec sleep 1000")
    host.inbox.put(order)
    host.work()
    assert only_step(host.report()).outcome is UNKNOWN


def test_kill_that_comes_after_a_gentle_cancel_ends_the_command(host: WorkerHost) -> None:
    order = host.order(SLOW)
    gently = post_from_tool(host, cancel := host.cancel(order))
    at_once = post_from_tool(host, host.cancel(order, kill=True))
    taken = f"while [ -e {host.config.inbox}/{letter_digest(cancel)}.once ]; do :; done"
    host.tool("tool", f"{gently}; {taken}; {at_once}; exec sleep 1000")
    host.inbox.put(order)
    host.work()
    assert only_step(host.report()).outcome is CANCELLED
