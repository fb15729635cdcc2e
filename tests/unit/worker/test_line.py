"""Locks across runs: who waits for whom, and what becomes of those who wait."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.instant import now_ms
from contract.outcome import HostRunState, StepOutcome
from contract.report import Receipt, Report
from tests.unit.worker.lives import KILL_EXECUTOR, live, witnesses
from tests.unit.worker.steps import only_step, outcomes
from tests.waiting import eventually
from tests.worker_host import WorkerHost, new_run_id, work
from worker.lock import LockBusyError, file_name, release, take
from worker.process_tree import marked

CHANGED, TIMED_OUT = StepOutcome.CHANGED, StepOutcome.TIMED_OUT

WITNESS = """\
name: locked
params: {{name: {{}}}}
lock: [{locks}]
observe:
  flag: {{file: {{path: "/${{params.name}}"}}}}
steps:
  - name: flag
    ensure: flag.exists
    do: {{command: [/bin/tool, "${{params.name}}"]}}
    within: 100ms
    on_interrupt: rerun
"""


@contextmanager
def held(host: WorkerHost, *resources: str) -> Iterator[None]:
    """Hold locks as an operator on the host would."""
    names = [str(host.config.locks / file_name(resource)) for resource in resources]
    command = [part for name in names for part in ("flock", name)]
    operator = subprocess.Popen(
        [*command, "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert operator.stdout
    operator.stdout.readline()
    yield
    operator.communicate(b"\n", timeout=10)


@pytest.fixture
def host(host: WorkerHost) -> WorkerHost:
    host.tool("tool", "echo $1 >> witness; touch $1")
    return host


def put(host: WorkerHost, name: str, *locks: str, **changes: Any) -> str:
    """Send an order that locks these resources and writes its name; return its run's id."""
    runbook = WITNESS.format(locks=", ".join(locks))
    run_id = new_run_id()
    host.inbox.put(host.order(runbook, run_id=run_id, params={"name": name}, **changes))
    return run_id


def ran(host: WorkerHost) -> list[str]:
    path = host.root / "witness"
    return path.read_text().split() if path.exists() else []


def test_order_whose_lock_is_busy_waits_and_those_of_others_go_ahead(host: WorkerHost) -> None:
    waiting = put(host, "first", "a")
    with held(host, "a"):
        put(host, "second", "a", "b")
        put(host, "third", "b")
        put(host, "fourth", "c")
        host.work()
        assert ran(host) == ["fourth"]  # the third may not overtake the second
        receipts = [r.state for r in host.heard(Receipt) if r.run_id == waiting]
        assert set(receipts) == {HostRunState.DELIVERED}
    host.work()
    assert ran(host) == ["fourth", "first", "second", "third"]


def test_order_that_waits_for_a_lock_until_it_expires_is_reported_with_the_lock(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(host, "late", "a", expires_at=now_ms() + 600_000)
    with held(host, "a"):
        host.work()
        assert host.heard(Report) == []
        monkeypatch.setattr("worker.line.now_ms", lambda: now_ms() + 600_000)
        host.work()
    report = host.report()
    assert (report.state, report.outcome) == (HostRunState.EXPIRED, None)
    assert report.reason == "expired: it expired while it waited its turn: the lock 'a' is busy"
    assert ran(host) == []


def test_runs_without_a_lock_hold_one_in_common(host: WorkerHost) -> None:
    """What changes something and names no lock runs alone among its kind; a look needs none."""
    change = WITNESS.format(locks="").replace("lock: []\n", "")
    look = change.partition("    do:")[0].replace("name: locked", "name: look")
    with held(host, ""):
        host.inbox.put(host.order(change, params={"name": "x"}))
        host.inbox.put(host.order(look, params={"name": "x"}))
        host.work()
        assert [report.outcome for report in host.heard(Report)] == [StepOutcome.FAILED]
    host.work()
    assert ran(host) == ["x"]


def test_lock_may_hold_parameters(host: WorkerHost) -> None:
    put(host, "one", '"x:${params.name}"')
    put(host, "two", '"x:${params.name}"')
    with held(host, "x:one"):
        host.work()
        assert ran(host) == ["two"]


def test_run_holds_its_locks_while_its_command_runs_and_no_longer(host: WorkerHost) -> None:
    locks = host.config.locks
    busy = f"flock -n {locks}/a true && echo free-a >> witness; "
    host.tool("tool", f"{busy} flock -n {locks}/b true && echo free-b >> witness; touch $1")
    put(host, "flag", "b", "a")
    host.work()
    assert ran(host) == []
    assert only_step(host.report()).outcome == CHANGED
    release(take(locks, ["a", "b"]))
    assert list(locks.glob(".step-*")) == []


def test_service_that_a_run_left_running_holds_no_lock(host: WorkerHost) -> None:
    host.tool("tool", "setsid sleep 95 < /dev/null > /dev/null 2>&1 & touch $1")
    runbook = WITNESS.format(locks="a").replace(
        'do: {command: [/bin/tool, "${params.name}"]}',
        'do: {command: [/bin/tool, "${params.name}"], leaves_daemon: true}',
    )
    run_id = new_run_id()
    host.inbox.put(host.order(runbook, run_id=run_id, params={"name": "flag"}))
    host.work()
    services = marked(f"{run_id}:0:0")
    assert services
    release(take(host.config.locks, ["a"]))
    for pid in services:
        os.kill(pid, signal.SIGKILL)


def test_lock_outlives_a_killed_executor_until_nothing_of_the_command_lives(
    host: WorkerHost,
) -> None:
    """Nobody may take it while the command that works on the resource is still being ended."""
    stubborn = f"trap '' TERM; touch began; {KILL_EXECUTOR}; while [ ! -e go ]; do sleep 0.05; done"
    host.tool("tool", f"echo $1 >> witness; [ -e began ] || {{ {stubborn}; }}; touch $1")
    run_id = put(host, "flag", "a")
    assert not live(host)
    with pytest.raises(LockBusyError):
        take(host.config.locks, ["a"])
    (host.root / "go").touch()
    eventually(lambda: not marked(f"{run_id}:0:0"), what="the command has ended")
    assert live(host)
    assert only_step(host.report()).outcome == CHANGED


def test_run_cut_off_waits_for_its_lock_again_and_is_not_overtaken(host: WorkerHost) -> None:
    cut = f"[ -e cut ] || {{ touch cut; {KILL_EXECUTOR}; sleep 60; }}"
    host.tool("tool", f"echo $1 >> witness; {cut}; touch $1")
    put(host, "half-done", "a")
    put(host, "behind", "a")
    assert not live(host)
    with host.executor() as executor:  # its keeper has let go by the time that it can be taken
        eventually(lambda: _taken(executor._config.locks), what="the keeper let go")
    with held(host, "a"):
        put(host, "other", "b")
        assert live(host)
        assert ran(host) == ["half-done", "other"]
    assert live(host)
    assert ran(host) == ["half-done", "other", "half-done", "behind"]


def _taken(locks: Path) -> bool:
    try:
        release(take(locks, ["a"]))
    except LockBusyError:
        return False
    return True


def test_run_cut_off_whose_time_is_over_ends_though_its_lock_is_busy(host: WorkerHost) -> None:
    """It looks, and acts no more; a report must not wait for somebody who never lets go."""
    cut = f"echo $1 >> witness; [ -e cut ] || {{ touch cut; {KILL_EXECUTOR}; sleep 60; }}"
    host.tool("tool", cut)
    put(host, "flag", "a")
    assert not live(host)
    with host.executor() as executor:
        eventually(lambda: _taken(executor._config.locks), what="the keeper let go")
        executor._ledger._file.connection.execute("UPDATE orders SET boot_time = boot_time - 7200")
    with held(host, "a"):
        assert live(host)
    report = host.report()
    assert outcomes(report) == [TIMED_OUT]
    assert ran(host) == ["flag"]


@settings(max_examples=25, deadline=None)
@given(
    orders=st.lists(st.frozensets(st.sampled_from("abc"), min_size=1), min_size=1, max_size=5),
    busy=st.frozensets(st.sampled_from("abc"), max_size=2),
)
def test_orders_that_share_a_lock_run_in_the_order_in_which_they_came(
    tmp_path_factory: pytest.TempPathFactory, orders: list[frozenset[str]], busy: frozenset[str]
) -> None:
    """Whatever is locked and asked for: nobody overtakes on a lock, and all get their turn."""
    host = WorkerHost(tmp_path_factory.mktemp("host"))
    names = [put(host, f"n{number}", *sorted(locks)) for number, locks in enumerate(orders)]
    taken = take(host.config.locks, busy)
    with host.executor() as executor:
        executor._intake.take()
        turns: list[str] = []
        for _ in range(2):  # with the locks busy, then with all of them free
            while turn := executor._line.next():
                turns.append(turn.entry.run_id)
                executor._closing.give_up(turn.entry, "only its turn matters here")
                release(turn.held)
            release(taken)
            taken = ()
    assert sorted(turns) == sorted(names)
    for lock in "abc":
        came = [name for name, locks in zip(names, orders, strict=True) if lock in locks]
        went = [name for name in turns if name in came]
        assert went == came, f"overtaken on {lock}"


def test_second_executor_takes_no_lock_of_the_first(host: WorkerHost) -> None:
    with host.executor() as executor, held(host, "a"):
        put(host, "first", "a")
        work(executor)
        second = host.start("executor")
        _, said = second.communicate(timeout=20)
    assert "another executor is at work" in said
    assert witnesses(host, "first") == 0
