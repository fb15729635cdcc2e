"""A host run: steps after each other, each seeing what the ones before have done."""

from contract.outcome import HostRunState, StepOutcome
from tests.unit.worker.steps import CHECK, FLAG, outcomes, reports
from tests.worker_host import WorkerHost

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, WOULD = StepOutcome.SKIPPED, StepOutcome.WOULD_CHANGE

THREE = """\
name: three
observe:
  a: {file: {path: /a}}
  b: {file: {path: /b}}
  c: {file: {path: /c}}
steps:
  - {name: a, ensure: a.exists}
  - {name: b, ensure: b.exists}
  - {name: c, ensure: c.exists}
"""


def test_check_only_runbook_goes_on_to_its_end(host: WorkerHost) -> None:
    (host.root / "c").touch()
    report = host.run(THREE)
    assert outcomes(report) == [FAILED, FAILED, OK]
    assert (report.outcome, report.state) == (FAILED, HostRunState.FAILED)


def test_changing_runbook_skips_the_rest_after_a_failure(host: WorkerHost) -> None:
    (host.root / "a").touch()
    changing = THREE.replace("ensure: c.exists", "ensure: c.exists, do: {command: [/bin/tool]}")
    report = host.run(changing)
    assert outcomes(report) == [OK, FAILED, SKIPPED]
    assert "'b' ended this pass" in report.passes[0].steps[2].reason


def test_when_is_false_skips_the_step_alone(host: WorkerHost) -> None:
    (host.root / "b").touch()
    report = host.run(THREE.replace("ensure: a.exists", "ensure: a.exists, when: c.exists"))
    assert outcomes(report) == [SKIPPED, OK, FAILED]


def test_all_skipped_is_ok(host: WorkerHost) -> None:
    report = host.run(CHECK.replace("    ensure", "    when: flag.exists\n    ensure"))
    assert (outcomes(report), report.outcome) == ([SKIPPED], OK)
    assert report.state == HostRunState.SUCCEEDED


def test_when_sees_what_an_earlier_step_has_changed(host: WorkerHost) -> None:
    host.tool("tool", "touch flag")
    later = "  - {name: later, when: run.changed, ensure: flag.exists}\n"
    assert outcomes(host.run(FLAG + later)) == [CHANGED, OK]
    assert [outcomes(r) for r in reports(host, FLAG + later)][-1] == [OK, SKIPPED]


def test_check_mode_goes_on_after_a_change_that_it_would_make(host: WorkerHost) -> None:
    host.tool("tool", "touch ran")
    later = "  - {name: later, ensure: '1 == 1'}\n"
    report = host.run(FLAG + later, check=True)
    assert outcomes(report) == [WOULD, OK]
    assert report.outcome == WOULD


FORCE = """\
name: force
params:
  force: {type: boolean, default: false}
observe:
  stamp: {file: {path: /stamp}}
steps:
  - name: fresh
    ensure: stamp.exists && (!params.force || stamp.mtime >= run.accepted_at)
    do: {command: [/bin/tool]}
    within: 300ms
"""


def test_forced_run_acts_once_and_is_proved_by_the_hosts_own_clock(host: WorkerHost) -> None:
    """Forced means: made since this host accepted this run. Delivered twice, it acts once."""
    host.tool("tool", "echo x >> ran; touch stamp")
    (host.root / "stamp").touch()
    letter = host.order(FORCE, params={"force": True})
    host.inbox.put(letter)
    host.work()
    host.inbox.put(letter)
    host.work()
    assert host.report().outcome == CHANGED
    assert (host.root / "ran").read_text() == "x\n"
    assert [r.outcome for r in reports(host, FORCE)] == [CHANGED, OK]


TELLING = """\
name: telling
for_each:
  name: {list: [a, b]}
observe:
  found: {file: {path: "/${name.name}"}}
steps:
  - {name: looked, ensure: found.exists || !found.exists}
report:
  warning: 'found.exists ? name.name + " is in the way" : ""'
  absent: 'found.size > 0 ? "never known" : ""'
tell: [warning, absent]
"""


def test_what_a_runbook_tells_is_a_note_of_the_report(host: WorkerHost) -> None:
    """One per pass, after its item; the empty text, and what can't be worked out, is not told."""
    (host.root / "b").touch()
    report = host.run(TELLING)
    assert report.notes == ["b: b is in the way"]
    assert [p.values["warning"] for p in report.passes] == ["", "b is in the way"]


UNSEEN = """\
name: unseen
observe:
  found: {file: {path: /loop/x}}
steps:
  - {name: looked, when: "WHEN", ensure: found.exists}
report:
  advice: 'found.exists ? "well" : "missing"'
tell: [advice]
"""


def test_what_a_runbook_would_tell_and_can_not_see_is_told_as_such(host: WorkerHost) -> None:
    """Else nothing below the host's name would say why nobody knows how it stands with it."""
    (host.root / "loop").symlink_to("loop")
    [note] = host.run(UNSEEN.replace("WHEN", "false")).notes
    assert note.startswith("advice is not known: can't observe found: ")


def test_what_a_runbook_can_not_see_and_a_step_has_said_is_not_told_twice(host: WorkerHost) -> None:
    (host.root / "loop").symlink_to("loop")
    report = host.run(UNSEEN.replace("WHEN", "true"))
    assert report.passes[0].steps[0].reason.startswith("can't observe found: ")
    assert report.notes == []
