"""What an executor finds of one that was killed, and what it makes of it."""

import os
import signal
from datetime import timedelta

import pytest

from contract.outcome import HostRunState, StepOutcome
from contract.report import Report, StepReport
from tests.unit.worker.lives import KILL_BOTH, KILL_EXECUTOR, deliver, live, witnesses
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.keeper_state import group_of
from worker.lock import step_lock
from worker.place import Place
from worker.process_tree import marked
from worker.recovery import RecoveryError, recover

CHANGED, UNKNOWN, SKIPPED = StepOutcome.CHANGED, StepOutcome.UNKNOWN, StepOutcome.SKIPPED

CUT_OFF = """\
name: cut-off
params:
  key: {secret: true}
observe:
  flag: {file: {path: /flag}}
steps:
  - name: cut off
    ensure: flag.exists
    do:
      command: [/bin/tool]
      files: [{path: /etc/key, content: "${params.key}"}]
      scrub: [/etc/copy]
    within: 200ms
    on_interrupt: rerun
  - name: after
    ensure: flag.exists
"""
ONCE = (
    "echo x >> witness; cp etc/key etc/copy; [ -e cut ] || { touch cut; %s; sleep 60; }; touch flag"
)


@pytest.fixture
def cut(host: WorkerHost) -> WorkerHost:
    """A host whose tool kills the executor that started it, the first time."""
    (host.root / "etc").mkdir()
    host.tool("tool", ONCE % KILL_EXECUTOR)
    return host


SERVING = CUT_OFF.replace("      files:", "      leaves_daemon: true\n      files:").replace(
    "    on_interrupt: rerun\n", ""
)
SERVICE = "setsid sh -c 'echo $$ > up; exec sleep 62' &"  # holds the pipes, too


def open_run(host: WorkerHost) -> str:
    with host.executor() as executor:
        (entry,) = executor._ledger.open_orders()
    return entry.run_id


def cut_off_once(host: WorkerHost, runbook: str) -> list[StepReport]:
    deliver(host, runbook)
    assert not live(host)
    assert live(host)
    assert not (host.root / "etc/key").exists()
    assert not (host.root / "etc/copy").exists()
    return host.report().passes[0].steps


def test_kill_during_a_command_reruns_what_may_be_rerun_and_tells_it(cut: WorkerHost) -> None:
    step, after = cut_off_once(cut, CUT_OFF)
    assert (step.outcome, step.attempts, step.interrupted) == (CHANGED, 2, True)
    assert witnesses(cut, "x") == 2
    assert after.outcome == StepOutcome.OK


def test_kill_during_a_command_that_may_not_rerun_is_unknown(cut: WorkerHost) -> None:
    step, after = cut_off_once(cut, CUT_OFF.replace("    on_interrupt: rerun\n", ""))
    assert (step.outcome, step.attempts, step.interrupted) == (UNKNOWN, 1, True)
    assert "interrupted" in step.reason
    assert witnesses(cut, "x") == 1
    assert after.outcome == SKIPPED


@pytest.mark.parametrize("rerun", ["", "    on_interrupt: rerun\n"])
def test_kill_after_the_effect_is_proved_by_the_state_and_not_repeated(
    cut: WorkerHost, rerun: str
) -> None:
    cut.tool("tool", (ONCE % KILL_EXECUTOR).replace("touch cut;", "touch cut flag;"))
    step, after = cut_off_once(cut, CUT_OFF.replace("    on_interrupt: rerun\n", rerun))
    assert (step.outcome, step.reason) == (CHANGED, "proved after interruption")
    assert (step.attempts, step.interrupted) == (1, True)
    assert witnesses(cut, "x") == 1
    assert after.outcome == StepOutcome.OK


def test_kill_in_a_later_step_leaves_what_was_done_as_it_was_told(cut: WorkerHost) -> None:
    """A step that is done is done: it is neither looked at nor run again."""
    cut.tool("first", "echo first >> witness; touch first")
    first = """\
  - name: first
    ensure: first.exists
    do: {command: [/bin/first]}
    on_interrupt: rerun
"""
    runbook = CUT_OFF.replace("steps:\n", f"  first: {{file: {{path: /first}}}}\nsteps:\n{first}")
    cut.tool("tool", "rm -f first\n" + ONCE % KILL_EXECUTOR)
    step = cut_off_once(cut, runbook)[0]
    assert (step.outcome, step.attempts, step.interrupted) == (CHANGED, 1, False)
    assert witnesses(cut, "first") == 1


def test_command_that_does_not_end_bars_a_new_executor_but_its_secret_goes(
    cut: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new may begin beside it; the secret does not wait for that."""
    monkeypatch.setattr("worker.recovery.KEEPER_PATIENCE", timedelta(seconds=0.2))
    cut.tool("tool", f"trap '' TERM\n{KILL_EXECUTOR}\ntouch cut\nsleep 60")
    deliver(cut, CUT_OFF)
    assert not live(cut)
    with cut.executor() as executor:
        (entry,) = executor._ledger.open_orders()
        with pytest.raises(RecoveryError, match="does not end"):
            recover(executor._gate, executor._tools)
    assert not (cut.root / "etc/key").exists()
    for pid in marked(f"{entry.run_id}:0:0"):
        os.kill(pid, signal.SIGKILL)
    assert cut.heard(Report) == []


def test_kill_of_keeper_and_executor_ends_what_the_command_left(cut: WorkerHost) -> None:
    """Nobody watches the tree then: what it started is found by its mark, and ended."""
    stray = "setsid sleep 61 < /dev/null > /dev/null 2>&1 &"
    cut.tool("tool", f"{stray}\n{ONCE % KILL_BOTH}")
    letter = CUT_OFF.replace("    on_interrupt: rerun\n", "")
    deliver(cut, letter)
    assert not live(cut)
    with cut.executor() as executor:
        (entry,) = executor._ledger.open_orders()
    marker = f"{entry.run_id}:0:0"
    assert marked(marker)
    assert live(cut)
    eventually(lambda: not marked(marker), what="nothing bears the step's mark any more")
    assert cut.report().outcome == UNKNOWN
    assert witnesses(cut, "x") == 1
    assert not (cut.root / "etc/key").exists()


@pytest.mark.usefixtures("control")
def test_kill_of_keeper_and_executor_ends_a_starter_of_services_with_all_it_left(
    cut: WorkerHost,
) -> None:
    """What could not finish starting is no service yet."""
    cut.tool("tool", f"{SERVICE}\n{ONCE % KILL_BOTH}")
    deliver(cut, SERVING)
    assert not live(cut)
    marker = open_run(cut) + ":0:0"
    assert marked(marker)
    assert live(cut)
    eventually(lambda: not marked(marker), what="nothing bears the step's mark any more")


@pytest.mark.usefixtures("control")
def test_kill_of_keeper_and_executor_spares_the_service_of_a_starter_that_had_exited(
    cut: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock tells that the command had ended well before its keeper was killed."""
    monkeypatch.setattr("worker.launch.LAST_WORDS_S", 20.0)  # the service holds the pipes
    kills = f"until grep -q exited {cut.config.locks}/.step-*; do :; done; {KILL_BOTH}"
    cut.tool("tool", f"{SERVICE}\n({kills}) &\nuntil [ -s up ]; do :; done")
    deliver(cut, SERVING)
    assert not live(cut)
    run = open_run(cut)
    marker, group = Place(run, 0, 0).marker(1), group_of(step_lock(cut.config.locks, run))
    assert live(cut)
    service = int((cut.root / "up").read_text())
    assert service in marked(marker)
    assert group is None or not group.path.exists()
    os.kill(service, signal.SIGKILL)


def test_kill_of_the_executor_alone_leaves_no_process_behind(cut: WorkerHost) -> None:
    deliver(cut, CUT_OFF.replace("    on_interrupt: rerun\n", ""))
    assert not live(cut)
    with cut.executor() as executor:
        (entry,) = executor._ledger.open_orders()
    eventually(lambda: not marked(f"{entry.run_id}:0:0"), what="the keeper has ended its command")


def test_kill_again_and_again_gives_up_a_step(host: WorkerHost) -> None:
    """A command that brings down the executor each time is not tried for ever."""
    (host.root / "etc").mkdir()
    host.tool("tool", f"echo x >> witness; {KILL_EXECUTOR}; sleep 60")
    deliver(host, CUT_OFF)
    lives = 1
    while not live(host):
        lives += 1
    (step, after) = host.report().passes[0].steps
    assert (step.outcome, after.outcome) == (UNKNOWN, SKIPPED)
    assert "interrupted 3 times; given up" in step.reason
    assert (witnesses(host, "x"), lives) == (3, 4)


def test_recovery_counts_each_executor_that_died(cut: WorkerHost) -> None:
    """By that count a run that brings down every executor is given up."""
    deliver(cut, CUT_OFF)
    assert not live(cut)
    with cut.executor() as executor:
        for died in (1, 2):
            recover(executor._gate, executor._tools)
            (entry,) = executor._ledger.open_orders()
            assert entry.interruptions == died


def test_recovery_of_a_state_that_can_not_be_observed_is_unknown(cut: WorkerHost) -> None:
    """Not knowing is no reason to run it again, whatever `on_interrupt` says."""
    cut.tool("tool", (ONCE % KILL_EXECUTOR).replace("touch cut;", "touch cut; ln -s flag flag;"))
    blind = CUT_OFF.replace("path: /flag", "path: /flag/x")
    (step, _) = cut_off_once(cut, blind)
    assert (step.outcome, step.attempts) == (UNKNOWN, 1)
    assert "can't observe flag" in step.reason
    assert witnesses(cut, "x") == 1


def test_recovery_after_a_reboot_counts_the_time_by_the_wall_clock(cut: WorkerHost) -> None:
    """The boot clock began anew; the run's own time did not."""
    deliver(cut, CUT_OFF.replace("name: cut-off", "name: cut-off\ntimeout: 1h"))
    assert not live(cut)
    with cut.executor() as executor:
        executor._ledger._file.connection.execute(
            "UPDATE orders SET boot_id = 'another', started_at = started_at - 7200000"
        )
    assert live(cut)
    step = cut.report().passes[0].steps[0]
    assert step.outcome == StepOutcome.TIMED_OUT
    assert witnesses(cut, "x") == 1


def test_recovery_in_the_same_boot_leaves_what_is_left_of_the_time(cut: WorkerHost) -> None:
    """A crash gives a run no second helping of its time."""
    deliver(cut, CUT_OFF.replace("name: cut-off", "name: cut-off\ntimeout: 1h"))
    assert not live(cut)
    with cut.executor() as executor:
        executor._ledger._file.connection.execute("UPDATE orders SET boot_time = boot_time - 7200")
    assert live(cut)
    step = cut.report().passes[0].steps[0]
    assert step.outcome == StepOutcome.TIMED_OUT
    assert witnesses(cut, "x") == 1


def test_recovery_when_the_order_can_not_be_read_is_unknown_not_a_crash(cut: WorkerHost) -> None:
    """Such as after the host's keys were made anew: the next order must be served."""
    deliver(cut, CUT_OFF)
    assert not live(cut)
    with cut.executor() as executor, executor._ledger._file.writing() as db:
        db.execute("UPDATE orders SET letter = ?", (b"torn",))
    assert live(cut)
    assert cut.report().state == HostRunState.UNKNOWN
