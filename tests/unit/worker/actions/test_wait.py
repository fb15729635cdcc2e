"""The action wait: as long as asked, within the step's time, and letters come in meanwhile."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from contract.action import Wait
from contract.outcome import StepOutcome
from contract.report import Pong, Receipt, Report
from tests.unit.worker.steps import FLAG, only_step, post_from_tool, reports
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.actions.action import Context
from worker.actions.wait import wait
from worker.proc import boot_clock
from worker.root import Root


@pytest.mark.parametrize(
    ("duration", "waited", "ok", "summary"),
    [
        ("30s", 30.0, True, "waited 30s"),
        ("1h30m", 5400.0, True, "waited 1h30m"),
        ("2h", 7200.0, True, "waited 2h"),
        ("3h", 7200.0, False, "waited only 2h: the step's time was over"),
    ],
)
def test_wait_pauses_as_the_executor_does(
    duration: str,
    waited: float,
    ok: bool,  # noqa: FBT001
    summary: str,
) -> None:
    """It is the executor's own pause, which takes letters in; the step's timeout bounds it."""
    paused: list[float] = []

    def pause(seconds: float) -> bool:
        paused.append(seconds)
        return True

    context = Context(Root(), timedelta(hours=2), pause=pause)
    result = wait(Wait(duration=duration), context)
    assert (result.ok, result.timed_out, result.summary) == (ok, not ok, summary)
    assert paused == [waited]


def test_wait_really_takes_its_time() -> None:
    begun = boot_clock()
    assert wait(Wait(duration="50ms"), Context(Root(), timedelta(seconds=5))).ok
    assert boot_clock() - begun >= 0.05


def test_wait_lets_letters_be_taken_in(host: WorkerHost) -> None:
    """An executor that waits for something to settle answers a ping at once."""
    runbook = (
        "name: settle\nobserve: {flag: {file: {path: /flag}}}\nsteps:\n"
        "- {name: it is up, ensure: flag.exists, do: {wait: {duration: 1s}}, within: 10s}\n"
    )
    with host.start("executor") as executor:
        host.inbox.put(host.order(runbook))
        eventually(lambda: len(host.heard(Receipt)) >= 1)
        host.inbox.put(host.ping("a" * 32))
        eventually(lambda: host.heard(Pong))
        assert host.heard(Report) == []
        (host.root / "flag").touch()
        step = only_step(host.report())
        executor.terminate()
        executor.communicate()
    assert (step.outcome, step.action and step.action.summary) == (StepOutcome.CHANGED, "waited 1s")


def begun_steps(host: WorkerHost) -> int:
    with closing(sqlite3.connect(f"file:{host.config.ledger}?mode=ro", uri=True)) as ledger:
        count: int = ledger.execute("SELECT count(*) FROM steps").fetchone()[0]
    return count


def test_wait_beyond_the_steps_timeout_is_told_as_timed_out(host: WorkerHost) -> None:
    runbook = FLAG.replace("{command: [/bin/tool]}", "{wait: {duration: 1h}}")
    step = only_step(reports(host, runbook)[-1])
    assert step.outcome is StepOutcome.TIMED_OUT
    assert step.action
    assert step.action.timed_out
    assert step.action.summary == "waited only 0.4s: the step's time was over"


def test_cancel_ends_a_wait(host: WorkerHost) -> None:
    runbook = FLAG.replace("{command: [/bin/tool]}", "{wait: {duration: 1h}}")
    order = host.order(runbook.replace("timeout: 400ms", "timeout: 2h"))
    with host.start("executor") as executor:
        host.inbox.put(order)
        eventually(lambda: begun_steps(host) == 1)
        host.inbox.put(host.cancel(order))
        step = only_step(host.report())
        executor.terminate()
        executor.communicate()
    assert (step.outcome, step.action and step.action.summary) == (
        StepOutcome.CANCELLED,
        "ended because the run was cancelled",
    )


def test_cancel_leaves_a_rescue_that_waits_its_time(host: WorkerHost) -> None:
    """Once begun, a rescue is carried to its end: half of it could be worse than none."""
    rescue = """
    rescue:
      - name: it settled
        ensure: flag.exists
        do: {wait: {duration: 300ms}}
        within: 200ms
"""
    order = host.order(FLAG.replace("    timeout: 400ms\n", rescue.lstrip("\n")))
    host.tool("tool", f"{post_from_tool(host, host.cancel(order))}; exit 1")
    host.inbox.put(order)
    begun = boot_clock()
    host.work()
    (rescuing,) = only_step(host.report()).rescue
    assert rescuing.action
    assert rescuing.action.summary == "waited 0.3s"
    assert boot_clock() - begun >= 0.5
