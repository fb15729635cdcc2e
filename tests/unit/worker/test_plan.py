"""Any runbook ends as the language says: step after step, pass after pass."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.outcome import ENDING, StepOutcome, worst
from tests.unit.worker.steps import outcomes
from tests.worker_host import WorkerHost

OK, CHANGED, FAILED = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.FAILED
SKIPPED, UNKNOWN, WOULD = StepOutcome.SKIPPED, StepOutcome.UNKNOWN, StepOutcome.WOULD_CHANGE
TIMED_OUT, ROLLED_BACK = StepOutcome.TIMED_OUT, StepOutcome.ROLLED_BACK


@dataclass(frozen=True)
class Kind:
    """A kind of step, as YAML with its number for `N`, and how it ends, by itself."""

    text: str
    outcome: StepOutcome
    in_check: StepOutcome
    acts: bool = True


_FAILS = "do: {command: [/bin/fail]}, within: 1ms"
_FLAG = "ensure: fN.exists, do: {command: [/bin/raise, fN]}"
KINDS = {
    "holds": Kind("ensure: 1 == 1", OK, OK, acts=False),
    "left out": Kind("ensure: 1 == 2, when: run.id == ''", SKIPPED, SKIPPED, acts=False),
    "looks": Kind("ensure: 1 == 2", FAILED, FAILED, acts=False),
    "blind": Kind("ensure: ring.exists", UNKNOWN, UNKNOWN, acts=False),
    "made": Kind(_FLAG, CHANGED, WOULD),
    "fails": Kind(f"ensure: fN.exists, {_FAILS}", FAILED, WOULD),
    "hangs": Kind(
        "ensure: fN.exists, do: {command: [/bin/hang]}, timeout: 20ms, within: 1ms",
        TIMED_OUT,
        WOULD,
    ),
    "rescued": Kind(
        f"ensure: fN.exists, {_FAILS}, rescue: [{{name: rN, {_FLAG}}}]", CHANGED, WOULD
    ),
    "rolled back": Kind(
        f"ensure: fN.exists, {_FAILS}, rescue: [{{name: rN, {_FLAG}, rolls_back: true}}]",
        ROLLED_BACK,
        WOULD,
    ),
    "lost": Kind(
        f"ensure: fN.exists, {_FAILS}, rescue: [{{name: rN, ensure: 1 == 2, rolls_back: true}}]",
        FAILED,
        WOULD,
    ),
}


def runbook(kinds: list[str], passes: int) -> str:
    flags = [f"  f{n}: {{file: {{path: '/f{n}-${{item.name}}'}}}}" for n in range(len(kinds))]
    steps = [
        f"  - {{name: s{n}, {KINDS[kind].text.replace('N', str(n))}}}".replace(
            f"raise, f{n}", f"raise, 'f{n}-${{item.name}}'"
        )
        for n, kind in enumerate(kinds)
    ]
    items = ", ".join("abc"[:passes])
    return "\n".join(
        [
            f"name: plan\nfor_each: {{item: {{list: [{items}]}}}}",
            "observe:\n  ring: {file: {path: /loop/x}}",
            *flags,
            "steps:",
            *steps,
            "",
        ]
    )


def planned(kinds: list[str], *, check: bool) -> list[StepOutcome]:
    """What one pass comes to, by the rules of the manual alone."""
    alone = [KINDS[kind].in_check if check else KINDS[kind].outcome for kind in kinds]
    changes = any(KINDS[kind].acts for kind in kinds)
    ends = next((n for n, each in enumerate(alone) if each in ENDING and changes), len(alone))
    return [each if n <= ends else SKIPPED for n, each in enumerate(alone)]


@settings(max_examples=20, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5),
    passes=st.integers(1, 2),
    check=st.booleans(),
)
def test_any_runbook_ends_as_planned_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], passes: int, *, check: bool
) -> None:
    """After an ending step the rest of a changing pass is skipped; passes don't share a fate."""
    host = WorkerHost(tmp_path_factory.mktemp("host"))
    (host.root / "loop").symlink_to("loop")
    host.tool("fail", "exit 1")
    host.tool("hang", "exec sleep 60")
    host.tool("raise", "echo $1 >> ran; touch $1")
    report = host.run(runbook(kinds, passes), check=check)
    plan = planned(kinds, check=check)
    assert outcomes(report) == plan * passes
    assert report.outcome == worst(plan)
    raised = (host.root / "ran").read_text().split() if (host.root / "ran").exists() else []
    assert len(raised) == len(set(raised))
    assert not (check and raised)
