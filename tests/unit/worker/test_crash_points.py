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

CHANGED, UNKNOWN, SKIPPED = StepOutcome.CHANGED, StepOutcome.UNKNOWN, StepOutcome.SKIPPED

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
