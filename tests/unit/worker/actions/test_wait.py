"""The action wait: as long as asked, within the step's time, and letters come in meanwhile."""

from datetime import timedelta

import pytest

from contract.action import Wait
from contract.outcome import StepOutcome
from contract.report import Pong, Receipt, Report
from tests.unit.worker.steps import only_step
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.actions import Context
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
    context = Context(Root(), timedelta(hours=2), pause=paused.append)
    result = wait(Wait(duration=duration), context)
    assert (result.ok, result.summary, paused) == (ok, summary, [waited])


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
