"""What a pass sees of its host, and what it says when it can not see."""

import os
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.outcome import HostRunState, StepOutcome
from tests.unit.worker.steps import CHECK, only_step
from tests.worker_host import WorkerHost

FAILED, UNKNOWN, SKIPPED = StepOutcome.FAILED, StepOutcome.UNKNOWN, StepOutcome.SKIPPED

BLIND = """\
name: blind
observe:
  seen: {file: {path: /seen}}
  hidden: {file: {path: /dark/hidden}}
steps:
  - name: blind
    ensure: seen.exists && hidden.exists
    do: {command: [/bin/tool]}
    within: 100ms
  - name: after
    ensure: seen.exists
"""


def test_observation_that_can_not_be_made_is_unknown_and_nothing_is_done(host: WorkerHost) -> None:
    """Not knowing is neither ok nor failed, and no reason to act."""
    host.tool("tool", "touch ran")
    (host.root / "seen").touch()
    (host.root / "dark").symlink_to("dark")
    report = host.run(BLIND)
    first, second = report.passes[0].steps
    assert (first.outcome, second.outcome) == (UNKNOWN, SKIPPED)
    assert (report.outcome, report.state) == (UNKNOWN, HostRunState.UNKNOWN)
    assert "can't observe hidden" in first.reason
    assert "too many levels of symbolic links" in first.reason
    assert first.evidence == {"seen.exists": True}  # what could be seen is told
    assert not (host.root / "ran").exists()


def test_error_of_an_expression_is_unknown_with_its_text(host: WorkerHost) -> None:
    """CEL's errors come as values that Python takes for true; they must count for nothing."""
    (host.root / "flag").touch()
    report = host.run(
        CHECK.replace("ensure: flag.exists", "ensure: flag.exists && 1 / flag.size > 0")
    )
    step = only_step(report)
    assert step.outcome == UNKNOWN
    assert "divide by zero" in step.reason


SPARING = """\
name: sparing
observe:
  one: {file: {path: /one, match: "^(.*)$"}}
  two: {file: {path: /two, match: "^(.*)$"}}
steps:
  - name: one
    when: two.exists && two . matched == 'two'
    ensure: one.exists && one.matched == 'one'
report:
  digest: two.sha256
"""


def test_observation_finds_out_all_that_any_expression_of_the_runbook_asks(
    host: WorkerHost,
) -> None:
    for name in ("one", "two"):
        (host.root / name).write_text(f"{name}\n")
    (each,) = host.run(SPARING).passes
    assert each.steps[0].outcome == StepOutcome.OK
    assert each.steps[0].evidence == {"one.exists": True, "one.matched": "one"}
    assert each.values == {"digest": sha256(b"two\n").hexdigest()}


NAMES = """\
name: names
observe:
  all: {glob: {path: /etc/places/*}}
steps:
  - name: few
    ensure: all.count < 2 && !('x' in all.names)
"""


def test_observed_names_that_are_no_utf8_are_shown_escaped(host: WorkerHost) -> None:
    for name in ("a", "b\udcff"):
        (host.root / "etc/places" / name).mkdir(parents=True)
    step = only_step(host.run(NAMES))
    assert step.outcome == FAILED
    assert step.evidence["all.names"] == ["a", "b\\udcff"]


def test_observation_that_no_probe_foresaw_is_unknown() -> None:
    """A file's time may be one that no calendar has; that is the step's trouble alone."""
    with TemporaryDirectory(dir="/dev/shm") as directory:
        host = WorkerHost(Path(directory))
        (host.root / "flag").touch()
        os.utime(host.root / "flag", (1e12, 1e12))
        step = only_step(host.run(CHECK))
    assert step.outcome == UNKNOWN
    assert "can't observe flag: year" in step.reason
