"""What for_each goes over, and what it leaves alone and names."""

from pathlib import Path

import pytest

from contract.outcome import StepOutcome
from tests.unit.worker.lives import KILL_EXECUTOR, deliver, live
from tests.unit.worker.steps import outcomes, reports
from tests.worker_host import WorkerHost

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, UNKNOWN = StepOutcome.SKIPPED, StepOutcome.UNKNOWN

EACH = """\
name: each
params:
  only: {default: ""}
for_each: {place: {glob: {path: /etc/places/*, name: "[a-z]+"}, only: "${params.only}"}}
observe:
  mark: {file: {path: "/etc/places/${place.name}/mark"}}
steps:
  - name: marked
    ensure: mark.exists
    do: {command: [/bin/tool, "${place.path}"]}
    within: 50ms
  - name: after
    ensure: mark.exists
report:
  place: place.name
  size: mark.size
  when: mark.mtime
"""


@pytest.fixture
def places(host: WorkerHost) -> Path:
    for name in ("beta", "alpha", "LAD", "scom.1"):
        (host.root / "etc/places" / name).mkdir(parents=True)
    return host.root / "etc/places"


def test_for_each_makes_a_pass_per_item_and_names_what_it_leaves_alone(
    host: WorkerHost, places: Path
) -> None:
    host.tool("tool", 'printf 12345 > ".$1/mark"')
    report = host.run(EACH)
    assert [each.item for each in report.passes] == ["alpha", "beta"]
    assert outcomes(report) == [CHANGED, OK, CHANGED, OK]
    assert [each.values["size"] for each in report.passes] == [5, 5]
    assert str(report.passes[0].values["when"]).endswith("Z")
    assert report.notes == ["left alone: LAD, scom.1"]
    assert not (places / "LAD/mark").exists()


def test_for_each_failure_of_one_item_leaves_the_others_alone(
    host: WorkerHost, places: Path
) -> None:
    host.tool("tool", 'case $1 in */beta) touch ".$1/mark";; *) exit 1;; esac')
    report = host.run(EACH)
    assert outcomes(report) == [FAILED, SKIPPED, CHANGED, OK]
    assert report.outcome == FAILED
    assert report.passes[0].values == {"place": "alpha", "size": None, "when": None}


def test_for_each_with_only_makes_that_pass_alone(host: WorkerHost, places: Path) -> None:
    host.tool("tool", 'touch ".$1/mark"')
    report = host.run(EACH, params={"only": "beta"})
    assert [each.item for each in report.passes] == ["beta"]
    assert not (places / "alpha/mark").exists()


def test_for_each_with_only_something_absent_still_looks_at_it(
    host: WorkerHost, places: Path
) -> None:
    """Naming a thing that is not there is no success by silence."""
    host.tool("tool", "exit 0")
    report = host.run(EACH, params={"only": "gamma"})
    assert [(each.item, each.steps[0].outcome) for each in report.passes] == [("gamma", FAILED)]


def test_for_each_that_finds_nothing_says_so(host: WorkerHost) -> None:
    report = host.run(EACH)
    assert (report.passes, report.outcome) == ([], OK)
    assert report.notes == ["no place found at /etc/places/*"]


def test_for_each_over_names_that_are_no_utf8_tells_and_goes_on(
    host: WorkerHost, places: Path
) -> None:
    """A name that no text can hold is left alone; it stops nothing."""
    host.tool("tool", 'touch ".$1/mark"')
    (places / "b\udcff").mkdir()
    report = host.run(EACH.replace('name: "[a-z]+"', 'name: ".*a.*"'))
    assert [each.item for each in report.passes] == ["alpha", "beta"]
    assert any("b\\udcff" in note for note in report.notes)


NAMED = EACH.replace('{glob: {path: /etc/places/*, name: "[a-z]+"}, only', "{list: [x, y], only")


def test_for_each_over_a_list_goes_in_its_order_or_takes_the_one_asked_for(
    host: WorkerHost,
) -> None:
    host.tool("tool", 'mkdir -p "etc/places/$1"; touch "etc/places/$1/mark"')
    report = host.run(NAMED, params={"only": "y"})
    assert [(each.item, each.steps[0].outcome) for each in report.passes] == [("y", CHANGED)]
    report = reports(host, NAMED)[-1]
    assert [each.item for each in report.passes] == ["x", "y"]


def test_for_each_over_a_list_without_the_one_asked_for_says_so(host: WorkerHost) -> None:
    report = host.run(NAMED, params={"only": "z"})
    assert (report.passes, report.notes) == ([], ["no place is named 'z'"])


def test_for_each_over_what_can_not_be_read_is_unknown(host: WorkerHost) -> None:
    """Not seen is not absent: silence here would look like a host with nothing to do."""
    (host.root / "etc").mkdir()
    (host.root / "etc/places").symlink_to("places")
    report = host.run(EACH)
    assert (report.outcome, report.passes) == (UNKNOWN, [])
    assert "can't tell what to go over" in report.notes[0]
    assert "symbolic links" in report.notes[0]


@pytest.mark.parametrize("only", ["LAD", "../etc", "alpha/beta", "..", "al*"])
def test_for_each_with_only_what_no_item_is_named_looks_at_nothing(
    host: WorkerHost, places: Path, only: str
) -> None:
    """A parameter must not lead out of what the runbook goes over."""
    host.tool("tool", 'touch ".$1/mark" ran')
    report = host.run(EACH, params={"only": only})
    assert (report.passes, report.notes) == ([], [f"no place is named {only!r}"])
    assert not (host.root / "ran").exists()


def test_for_each_with_only_finds_it_below_a_pattern(host: WorkerHost, places: Path) -> None:
    host.tool("tool", 'touch ".$1/mark"')
    report = host.run(EACH.replace("/etc/places/*,", "/etc/*/*,"), params={"only": "beta"})
    assert [(each.item, each.steps[0].outcome) for each in report.passes] == [("beta", CHANGED)]
    assert (places / "beta/mark").exists()


def test_for_each_interrupted_still_tells_what_it_left_alone(
    host: WorkerHost, places: Path
) -> None:
    """The report after a crash is the one that there would have been without it."""
    cut = f'[ -e cut ] || {{ touch cut; {KILL_EXECUTOR}; sleep 60; }}; touch ".$1/mark"'
    host.tool("tool", cut)
    deliver(host, EACH.replace("    within: 50ms", "    within: 50ms\n    on_interrupt: rerun"))
    assert not live(host)
    (places / "gamma").mkdir()
    assert live(host)
    report = host.report()
    assert [each.item for each in report.passes] == ["alpha", "beta"]
    assert outcomes(report) == [CHANGED, OK, CHANGED, OK]
    assert report.notes == ["left alone: LAD, scom.1"]
