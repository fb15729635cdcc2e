"""Cancelling on a host: whenever the tombstone comes, nothing begins after it, and it is told."""

import pytest

import worker.onset
from contract.order import letter_digest
from contract.outcome import HostRunState, StepOutcome
from contract.report import Receipt, Refusal, Report
from tests.unit.worker.steps import FLAG, only_step, outcomes, post_from_tool
from tests.worker_host import WorkerHost, new_run_id, work
from worker.place import Place
from worker.recovery import recover

CANCELLED, CHANGED, UNKNOWN = StepOutcome.CANCELLED, StepOutcome.CHANGED, StepOutcome.UNKNOWN
WHY = "cancelled by anna: a mistake"
TWO = """\
name: two
observe:
  first: {file: {path: /first}}
  second: {file: {path: /second}}
steps:
  - name: first
    ensure: first.exists
    do: {command: [/bin/tool, first]}
    on_interrupt: rerun
  - name: second
    ensure: second.exists
    do: {command: [/bin/tool, second]}
report: {there: first.exists}
"""
EACH = FLAG.replace("observe:", "for_each: {place: {list: [a, b]}}\nobserve:")


def take(host: WorkerHost, *letters: bytes) -> None:
    """Let an executor take letters in, but begin nothing."""
    for letter in letters:
        host.inbox.put(letter)
    with host.executor() as executor:
        executor._take()


def test_cancel_before_its_order_buries_it_and_says_so(host: WorkerHost) -> None:
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    take(host, cancel := host.cancel(order))
    (receipt,) = host.heard(Receipt)
    assert receipt.state is HostRunState.CANCELLED
    assert receipt.cancel_sha256 == letter_digest(cancel)
    host.inbox.put(order)
    host.work()
    assert host.heard(Refusal)[0].reason == "cancelled"
    assert host.heard(Report) == []
    assert not (host.root / "flag").exists()


@pytest.mark.parametrize("runbook", [FLAG, EACH])
def test_cancel_of_a_waiting_order_ends_it_at_once(host: WorkerHost, runbook: str) -> None:
    """It does not wait its turn: taking the letter in is enough."""
    host.tool("tool", "touch flag")
    order = host.order(runbook)
    take(host, host.order(FLAG), order)
    take(host, host.cancel(order))
    report = host.report()
    assert (report.state, report.outcome) == (HostRunState.CANCELLED, CANCELLED)
    assert (report.reason, report.started_at) == (WHY, None)
    assert set(outcomes(report)) <= {CANCELLED}


def test_cancel_and_order_found_together_begin_nothing(host: WorkerHost) -> None:
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    host.inbox.put(order)
    host.inbox.put(host.cancel(order))
    host.work()
    assert host.report().outcome is CANCELLED
    assert not (host.root / "flag").exists()


def test_cancel_that_was_written_down_by_a_killed_executor_is_honoured_by_the_next(
    host: WorkerHost,
) -> None:
    """Between tombstone and report lies a moment in which an executor can die."""
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    take(host, order)
    host.inbox.put(host.cancel(order))
    with host.executor() as executor:
        executor._intake.take()
    assert host.heard(Report) == []
    with host.executor() as executor:
        assert executor._line.next() is None
        work(executor)
    assert host.report().state is HostRunState.CANCELLED
    assert not (host.root / "flag").exists()


def test_cancel_during_a_step_lets_it_end_and_begins_no_other(host: WorkerHost) -> None:
    order = host.order(TWO)
    host.tool("tool", f"{post_from_tool(host, host.cancel(order))}; touch $1")
    host.inbox.put(order)
    host.work()
    report = host.report()
    assert outcomes(report) == [CHANGED, CANCELLED]
    assert (report.state, report.reason) == (HostRunState.CANCELLED, WHY)
    assert report.passes[0].values == {}  # after a cancel nothing is looked at either
    assert not (host.root / "second").exists()
    (answer,) = [receipt for receipt in host.heard(Receipt) if receipt.cancel_sha256]
    assert answer.state is HostRunState.RUNNING


def test_cancel_in_the_last_step_comes_too_late_and_changes_nothing(host: WorkerHost) -> None:
    order = host.order(FLAG)
    host.tool("tool", f"{post_from_tool(host, host.cancel(order))}; touch flag")
    host.inbox.put(order)
    host.work()
    assert host.report().state is HostRunState.SUCCEEDED


@pytest.mark.parametrize("where", ["within: 300ms", "within: 1h"])
def test_cancel_ends_the_waiting_for_a_state(host: WorkerHost, where: str) -> None:
    order = host.order(FLAG.replace("within: 300ms", where))
    host.tool("tool", post_from_tool(host, host.cancel(order)))
    host.inbox.put(order)
    host.work()
    step = only_step(host.report())
    assert (step.outcome, step.attempts) == (CANCELLED, 1)
    assert step.reason.startswith("not so: flag.exists")


def test_cancel_ends_the_pause_before_another_attempt(host: WorkerHost) -> None:
    """The letter comes from a left-over of the first attempt, when that has failed already."""
    again = "within: 100ms\n    retry: {attempts: 5, delay: 1h}"
    runbook = FLAG.replace("within: 300ms", again).replace("tool]", "tool], leaves_daemon: true")
    order = host.order(runbook)
    host.tool("tool", f"(sleep 0.6; {post_from_tool(host, host.cancel(order))}) >&- 2>&- &")
    host.inbox.put(order)
    host.work()
    step = only_step(host.report())
    assert (step.outcome, step.attempts) == (CANCELLED, 1)


@pytest.mark.parametrize(("rule", "outcome"), [("rerun", CANCELLED), ("unknown", UNKNOWN)])
def test_cancel_of_a_step_that_was_cut_off_runs_it_no_more(
    host: WorkerHost, rule: str, outcome: StepOutcome
) -> None:
    """What the killed executor had begun is looked at once more, and never begun again."""
    host.tool("tool", "echo x >> ran")
    order = host.order(TWO.replace("on_interrupt: rerun", f"on_interrupt: {rule}"))
    host.inbox.put(order)
    with host.executor() as executor:
        executor._take()
        (entry,) = executor._ledger.open_orders()
        executor._begin(entry)
        executor._ledger.begin_step(Place(entry.run_id, 0, 0), entry.accepted_at)
    host.inbox.put(host.cancel(order))
    with host.executor() as executor:
        recover(executor._gate, executor._tools)
        work(executor)
    report = host.report()
    assert outcomes(report)[0] is outcome
    assert not (host.root / "ran").exists()
    assert not (host.root / "second").exists()


def test_cancel_that_comes_again_is_answered_again_and_changes_nothing(host: WorkerHost) -> None:
    order = host.order(FLAG)
    cancel = host.cancel(order)
    take(host, cancel)
    (first,) = host.heard(Receipt)
    for path in host.outbox.letters():
        path.unlink()
    take(host, cancel)
    (again,) = host.heard(Receipt)
    assert (again.state, again.order_sha256) == (first.state, first.order_sha256)


def test_cancel_of_an_ended_run_leaves_it_as_it_ended(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.onset, "MOMENT_S", 60.0)  # it has no receipt of its own
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    host.inbox.put(order)
    host.work()
    before = host.report()
    take(host, host.cancel(order))
    assert host.report() == before
    assert [bool(r.cancel_sha256) for r in host.heard(Receipt)] == [True]
    with host.executor() as executor:
        assert executor._ledger.tombstone(before.run_id) is None


def test_cancel_of_another_order_with_a_known_run_id_is_refused(host: WorkerHost) -> None:
    run_id = new_run_id()
    kept, other = host.order(FLAG, run_id=run_id), host.order(TWO, run_id=run_id)
    take(host, kept)
    take(host, host.cancel(other))
    assert host.heard(Refusal)[0].reason == "run_id_reused"
    assert host.heard(Report) == []


def test_cancel_by_the_schedules_key_stops_nothing(host: WorkerHost) -> None:
    order = host.order(FLAG)
    host.tool("tool", "touch flag")
    host.inbox.put(host.cancel(order, key=host.trusted.beat, operator="beat"))
    host.inbox.put(order)
    host.work()
    assert host.heard(Refusal)[0].reason == "wrong_role"
    assert host.report().outcome is CHANGED


def test_full_disk_while_a_cancelled_order_ends_keeps_it_from_beginning(host: WorkerHost) -> None:
    """The report waits for room; the order does not slip through in between."""
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    take(host, order)
    host.inbox.put(host.cancel(order))
    with host.executor() as executor:
        executor._intake.take()
        executor._ledger._file.connection.execute("PRAGMA query_only=ON")
        executor._take()
        assert host.heard(Report) == []
        assert executor._line.next() is None
        executor._ledger._file.connection.execute("PRAGMA query_only=OFF")
        work(executor)
    assert host.report().outcome is CANCELLED
    assert not (host.root / "flag").exists()


def test_full_disk_keeps_a_cancel_in_the_inbox_and_says_nothing(host: WorkerHost) -> None:
    """The host's word on a cancel is worth something only once its ledger has the tombstone."""
    host.tool("tool", "touch flag")
    order = host.order(FLAG)
    host.inbox.put(host.cancel(order))
    with host.executor() as executor:
        executor._ledger._file.connection.execute("PRAGMA query_only=ON")
        executor._take()
        assert host.said() == []
        executor._ledger._file.connection.execute("PRAGMA query_only=OFF")
        executor._take()
    (receipt,) = host.heard(Receipt)
    assert receipt.state is HostRunState.CANCELLED
