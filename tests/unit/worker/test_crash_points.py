"""A crash at every moment at which something lasts: nothing is lost, nothing silently repeated."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contract.outcome import HostRunState, StepOutcome
from contract.report import PassReport, Receipt, Report, StepReport
from tests.unit.worker.lives import deliver, live, witnesses
from tests.unit.worker.steps import post_from_tool
from tests.worker_host import WorkerHost
from worker.lock import release, take

CHANGED, UNKNOWN, SKIPPED = StepOutcome.CHANGED, StepOutcome.UNKNOWN, StepOutcome.SKIPPED
ROLLED_BACK = StepOutcome.ROLLED_BACK

WITNESSED = """\
name: witnessed
params:
  key: {secret: true}
for_each: {place: {list: [a]}}
observe:
  first: {file: {path: "/${place.name}-first"}}
  second: {file: {path: "/${place.name}-second"}}
steps:
  - name: first
    ensure: first.exists
    do:
      command: [/bin/tool, "${place.name}-first"]
      files: [{path: /etc/key, content: "${params.key}"}]
      scrub: [/etc/copy]
    within: 100ms
    on_interrupt: rerun
  - name: second
    ensure: second.exists
    do: {command: [/bin/tool, "${place.name}-second"]}
    within: 100ms
"""
PLAIN = WITNESSED.replace("  key: {secret: true}", '  key: {secret: true, default: ""}')


def steps_of(each: PassReport) -> Iterator[tuple[str, StepReport]]:
    return ((f"{each.item}-{step.name}", step) for step in each.steps)


def check_laws(host: WorkerHost) -> Report:
    """Hold the report against what really happened."""
    report = host.report()
    for each in report.passes:
        for name, step in steps_of(each):
            seen = witnesses(host, name)
            told = step.attempts if step.interrupted else 1
            assert seen <= told, f"{name}: {seen} effects, {told} told"
            assert (step.outcome == CHANGED) == (host.root / name).exists()
            if name.endswith("second"):
                assert seen <= 1  # it may not be run again
    assert report.state in (HostRunState.SUCCEEDED, HostRunState.UNKNOWN)
    assert not (host.root / "etc/key").exists()
    assert not (host.root / "etc/copy").exists()
    return report


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """Being killed is no power loss: what is in memory will do, and hundreds of hosts fit."""
    memory = Path("/dev/shm")  # noqa: S108 - every host has a directory of its own in there
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as directory:
        yield Path(directory)


def host_with_witness(directory: Path) -> WorkerHost:
    host = WorkerHost(directory)
    (host.root / "etc").mkdir()
    host.tool("tool", "[ ! -e etc/key ] || cp etc/key etc/copy; echo $1 >> witness; touch $1")
    return host


@pytest.mark.timeout(300)
@pytest.mark.parametrize("copies", [1, 2])
def test_kill_at_every_boundary_loses_and_repeats_nothing(quick_disk: Path, copies: int) -> None:
    """A second copy of the order hides a loss, a single one hides a repeat: both are tried."""
    for boundary in count(copies, copies):  # every second one will do for the second copy
        host = host_with_witness(quick_disk / str(boundary))
        letter = deliver(host, WITNESSED)
        survived = live(host, boundary)
        if copies == 2:
            host.inbox.put(letter)
        assert live(host)
        report = check_laws(host)
        if survived:
            break
    assert boundary > 30
    assert report.outcome == CHANGED
    assert [step.outcome for each in report.passes for step in each.steps] == [CHANGED] * 2


@pytest.mark.timeout(300)
def test_kill_again_during_recovery_loses_and_repeats_nothing(quick_disk: Path) -> None:
    """Each crash is followed by another one while it is being cleared up."""
    for first in range(1, 40, 4):
        for second in (1 + first % 3, 4 + first % 5, 9 + first % 7):
            host = host_with_witness(quick_disk / f"{first}-{second}")
            deliver(host, WITNESSED)
            live(host, first)
            live(host, second)
            assert live(host)
            check_laws(host)


RESCUED = """\
name: rescued
lock: [service:x, file:/etc/x]
observe:
  served: {file: {path: /served, match: new|old}}
  pair: {file: {path: /pair, match: new|old}}
steps:
  - name: reload
    ensure: served.exists && pair.exists && served.matched == pair.matched
    do: {command: [/bin/tool, reload]}
    within: 10ms
    rescue:
      - name: restart
        ensure: "!served.exists && served.exists"
        do: {command: [/bin/tool, restart]}
        within: 10ms
        on_interrupt: rerun
      - name: back
        ensure: pair.exists && pair.matched == "old"
        do: {command: [/bin/tool, back, pair]}
        within: 10ms
        on_interrupt: rerun
        rolls_back: true
      - name: again
        ensure: served.exists && served.matched == "old"
        do: {command: [/bin/tool, again, served]}
        within: 10ms
        on_interrupt: rerun
        rolls_back: true
"""


def host_to_roll_back(directory: Path) -> WorkerHost:
    """Its service serves neither pair, and neither reload nor restart make it serve the new one."""
    host = WorkerHost(directory)
    (host.root / "served").write_text("none\n")
    (host.root / "pair").write_text("new\n")
    host.tool("tool", "echo $1 >> witness; [ -z $2 ] || echo old > $2")
    return host


def check_laws_of_rescue(host: WorkerHost) -> StepReport:
    """Each effect is told, none that must not is repeated, and rolled back means put back."""
    (failed,) = host.report().passes[0].steps
    assert witnesses(host, "reload") <= 1  # it may not be run again, its rescue begun or not
    for step in (failed, *failed.rescue):
        told = step.attempts if step.interrupted else 1
        assert witnesses(host, step.name) <= told
        if step.outcome is SKIPPED:
            assert witnesses(host, step.name) == 0
    assert failed.outcome in (ROLLED_BACK, UNKNOWN)
    if failed.outcome is UNKNOWN:  # cut off before anybody could say that it had failed
        assert failed.interrupted
        assert failed.rescue == []
    else:
        texts = [(host.root / name).read_text() for name in ("served", "pair")]
        assert texts == ["old\n", "old\n"]
    release(take(host.config.locks, ["service:x", "file:/etc/x"]))
    assert list(host.config.locks.glob(".step-*")) == []
    return failed


@pytest.mark.timeout(300)
def test_kill_at_every_boundary_of_a_rescue_ends_it_as_it_would_have(quick_disk: Path) -> None:
    """With locks held: the next life takes them again, and goes on with the rescue."""
    for boundary in count(1, 2):  # before and after come in pairs: the second half is the next
        host = host_to_roll_back(quick_disk / str(boundary))
        deliver(host, RESCUED)
        survived = live(host, boundary)
        assert live(host)
        failed = check_laws_of_rescue(host)
        if survived:
            break
    assert boundary > 30
    assert failed.outcome is ROLLED_BACK
    assert [step.outcome for step in failed.rescue] == [StepOutcome.FAILED, CHANGED, CHANGED]


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_kill_at_every_pair_of_boundaries_of_a_rescue(quick_disk: Path) -> None:
    for first in range(1, 70):
        for second in range(1, 70):
            host = host_to_roll_back(quick_disk / f"{first}-{second}")
            deliver(host, RESCUED)
            live(host, first)
            survived = live(host, second)
            assert live(host)
            check_laws_of_rescue(host)
            if survived:
                break


@pytest.mark.timeout(300)
def test_kill_at_every_boundary_of_a_cancelled_run_begins_nothing_more(quick_disk: Path) -> None:
    """The first step's own command delivers the tombstone, so it is there in every life."""
    for boundary in count(1, 3):
        host = host_with_witness(quick_disk / str(boundary))
        post = post_from_tool(host, host.cancel(deliver(host, WITNESSED)))
        host.tool("tool", f"echo $1 >> witness; touch $1; {post}")
        survived = live(host, boundary)
        assert live(host)
        report = host.report()
        assert report.state is HostRunState.CANCELLED
        ((first, second),) = [each.steps for each in report.passes]
        assert (first.outcome, second.outcome) == (CHANGED, StepOutcome.CANCELLED)
        assert witnesses(host, "a-second") == 0
        assert witnesses(host, "a-first") <= (first.attempts if first.interrupted else 1)
        if survived:
            break
    assert boundary > 30


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_there_first", [True, False], ids=["cancel-first", "order-first"])
def test_kill_at_every_boundary_between_order_and_cancel_runs_nothing(
    quick_disk: Path, *, is_there_first: bool
) -> None:
    """Whichever is taken in first, and wherever the executor dies, the host tells it cancelled."""
    for boundary in count(1):
        host = host_with_witness(quick_disk / str(boundary))
        letters = [order := host.order(PLAIN), host.cancel(order)]
        for letter in reversed(letters) if is_there_first else letters:
            host.inbox.put(letter)
        survived = live(host, boundary)
        assert live(host)
        assert not (host.root / "witness").exists()
        told = [message.state for message in (*host.heard(Receipt), *host.heard(Report))]
        assert HostRunState.CANCELLED in told
        if survived:
            break
    assert boundary > 9


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_kill_at_every_pair_of_boundaries(quick_disk: Path) -> None:
    for first in range(1, 70):
        for second in range(1, 70):
            host = host_with_witness(quick_disk / f"{first}-{second}")
            deliver(host, WITNESSED)
            live(host, first)
            survived = live(host, second)
            assert live(host)
            check_laws(host)
            if survived:
                break
