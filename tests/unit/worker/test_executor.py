"""The executor: each accepted order comes to an end that is reported, whatever happens."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

import worker.onset
from contract.error import DenreiError
from contract.instant import now_ms
from contract.outcome import HostRunState, StepOutcome
from contract.report import Receipt, Report
from tests.unit.worker.disk import full_disk
from tests.unit.worker.privilege import forbidden
from tests.unit.worker.steps import CHECK, FLAG
from tests.worker_host import WorkerHost, work
from worker.config import Config, ConfigError
from worker.courier import run_courier
from worker.executor import Executor, ExecutorError, run_executor
from worker.ledger_file import LedgerIOError
from worker.policy_file import shipped_policy
from worker.runner import StepRunner


def test_orders_that_are_done_at_once_are_reported_with_counters(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what waits its turn is told of before."""
    monkeypatch.setattr(worker.onset, "MOMENT_S", 60.0)
    host.inbox.put(host.order(CHECK))
    host.inbox.put(host.order(CHECK))
    host.work()
    assert [receipt.state for receipt in host.heard(Receipt)] == [HostRunState.DELIVERED]
    reports = host.heard(Report)
    assert sorted(report.counter for report in reports) == [1, 2]
    for report in reports:
        assert report.accepted_at <= (report.started_at or 0) <= report.ended_at


def test_report_stays_until_acknowledged_even_if_its_file_is_lost(host: WorkerHost) -> None:
    report = host.run(CHECK)
    for path in host.outbox.letters():
        path.unlink()
    host.work()
    assert host.report() == report


def test_report_whose_file_was_torn_by_a_power_loss_is_put_out_anew(host: WorkerHost) -> None:
    report = host.run(CHECK)
    for path in host.outbox.letters():
        path.write_bytes(b"")
    host.work()
    assert host.report() == report


def test_order_that_expires_while_it_waits_is_reported_expired_and_not_run(
    host: WorkerHost,
) -> None:
    host.tool("tool", "touch flag")
    host.inbox.put(host.order(FLAG, expires_at=now_ms() + 1000))
    with host.executor() as executor:
        executor._intake.take()
        (entry,) = executor._ledger.open_orders()
        accepted = executor._gate.reopen(entry.letter)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("worker.executor.now_ms", lambda: accepted.order.expires_at)
            work(executor)
    report = host.report()
    assert (report.state, report.outcome) == (HostRunState.EXPIRED, None)
    assert "expired" in report.reason
    assert not (host.root / "flag").exists()


def test_policy_that_was_narrowed_while_an_order_waited_refuses_it(host: WorkerHost) -> None:
    host.inbox.put(host.order(FLAG))
    with host.executor() as executor:
        executor._intake.take()
    narrowed = shipped_policy("permissive").replace(
        'executables: ["*"]', "executables: [/bin/other]"
    )
    host.config.policy.write_text(narrowed)
    host.work()
    report = host.report()
    assert (report.state, report.outcome) == (HostRunState.REFUSED, None)
    assert report.reason.startswith("policy_executable: ")
    assert "/bin/tool" in report.reason


def test_order_that_breaks_the_worker_is_unknown_and_bars_nobody(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of our own must not become a host that never works again."""

    def broken(self: StepRunner) -> None:
        if self._place.run_id == bad:
            raise ZeroDivisionError("\udcff")
        return intact(self)  # type: ignore[return-value]

    intact = StepRunner.carry_out
    bad, good = "0" * 25 + "B", "0" * 25 + "G"
    monkeypatch.setattr(StepRunner, "carry_out", broken)
    host.inbox.put(host.order(CHECK, run_id=bad))
    host.inbox.put(host.order(CHECK, run_id=good))
    host.work()
    reports = {report.run_id: report for report in host.heard(Report)}
    assert reports[bad].state == HostRunState.UNKNOWN
    assert "the worker failed: ZeroDivisionError" in reports[bad].reason
    assert reports[good].outcome == StepOutcome.FAILED


def test_run_in_which_the_executor_dies_again_and_again_is_given_up(host: WorkerHost) -> None:
    """What no exception tells of, such as being killed for its memory, must end as well."""
    host.inbox.put(host.order(CHECK))
    with host.executor() as executor:
        executor._intake.take()
        (entry,) = executor._ledger.open_orders()
        executor._begin(entry)
        for _ in range(10):
            executor._ledger.interrupted(entry.run_id)
        work(executor)
    report = host.report()
    assert report.state == HostRunState.UNKNOWN
    assert "given up" in report.reason


def test_run_whose_order_can_not_be_read_after_it_began_is_unknown(host: WorkerHost) -> None:
    """Refused would say that nothing was done; nobody knows that any more."""
    host.inbox.put(host.order(CHECK))
    with host.executor() as executor:
        executor._intake.take()
        (entry,) = executor._ledger.open_orders()
        executor._begin(entry)
        with executor._ledger._file.writing() as db:
            db.execute("UPDATE orders SET letter = ?", (b"torn",))
        work(executor)
    assert host.report().state == HostRunState.UNKNOWN


def test_full_disk_ends_the_executor_before_anything_is_done(host: WorkerHost) -> None:
    """What can't be written down is not done; the next executor does it."""
    host.tool("tool", "touch flag")
    host.inbox.put(host.order(FLAG))
    with host.executor() as executor:
        executor._intake.take()
        (entry,) = executor._ledger.open_orders()
        executor._begin(entry)
        log = host.config.ledger.with_name("ledger.db-wal")
        with full_disk(log.stat().st_size), pytest.raises(LedgerIOError):
            work(executor)
    assert not (host.root / "flag").exists()
    host.work()
    assert host.report().outcome == StepOutcome.CHANGED


def test_two_executors_on_one_state_are_refused(host: WorkerHost) -> None:
    with host.executor(), host.start("executor") as second:
        _, told = second.communicate(timeout=20)
    assert second.returncode == 78
    assert f"another executor is at work on {host.config.state}" in told


def test_killed_executor_bars_the_next_by_no_fork_of_its_own(host: WorkerHost) -> None:
    """A keeper that was forked a moment ago still holds every descriptor of the executor's."""
    host.tool("tool", "touch flag")
    alive, life = os.pipe()
    executor = os.fork()
    if executor == 0:
        with host.executor():
            if os.fork() == 0:
                os.close(life)
                os.read(alive, 1)  # until the test closes the other end
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(executor, 0)
    assert host.run(FLAG).outcome == StepOutcome.CHANGED
    os.close(life)
    os.close(alive)


@pytest.mark.parametrize("name", ["inbox", "outbox", "locks"])
def test_missing_directory_is_told(host: WorkerHost, name: str) -> None:
    directory: Path = getattr(host.config, name)
    directory.rmdir()
    with pytest.raises(ConfigError, match=f"no directory {directory}"):
        Executor(host.config)


def test_error_of_the_system_at_the_start_is_one_line(host: WorkerHost) -> None:
    """Here something else lies where the lock file belongs."""
    (host.config.locks / "executor").mkdir()
    with pytest.raises(ExecutorError, match=r"can't use .*/locks/executor: Is a directory"):
        run_executor(host.config)


@pytest.mark.parametrize("start", [run_executor, run_courier])
def test_state_that_is_somebody_elses_is_told(
    host: WorkerHost, start: Callable[[Config], NoReturn]
) -> None:
    with forbidden(host.config.state), pytest.raises(DenreiError, match="can't") as caught:
        start(host.config)
    assert "\n" not in str(caught.value)


def test_log_lines_of_a_run_carry_its_id_and_no_secret(
    host: WorkerHost, capfd: pytest.CaptureFixture[str]
) -> None:
    host.run(CHECK)
    text = capfd.readouterr().out
    assert "run_ended" in text
    assert json.dumps(host.report().run_id).strip('"') in text
