"""Rescue, locks and lists in a runbook's text: what is taken, and what is refused and where."""

import pytest

from contract.loader import MAX_RESCUE
from contract.locks import MAX_LOCKS
from contract.reach import reach
from contract.touch import Access, Touch
from tests.unit.contract.runbook_text import AGENT, STEP, complaints, load

RESCUE = f"""\
name: x
{AGENT}steps:
- name: a
  ensure: agent.running
  rescue:
  - name: another way
    when: run.changed
    ensure: agent.running
    do: {{command: [/bin/start]}}
    retry: {{attempts: 2}}
    on_interrupt: rerun
  - {{name: way back, ensure: agent.running, rolls_back: true}}
"""


def test_rescue_is_read_as_steps_of_their_own() -> None:
    (step,) = load(RESCUE).steps
    another, back = step.rescue
    assert (step.name, another.name, back.name) == ("a", "another way", "way back")
    assert (step.rolls_back, another.rolls_back, back.rolls_back) == (False, False, True)
    assert another.retry.attempts == 2
    assert another.rescue == ()


def test_rescue_counts_for_what_a_runbook_may_do() -> None:
    """The host's policy must see a program also where it is only a rescue's."""
    runbook = load(RESCUE)
    assert runbook.changes
    assert Touch(Access.EXECUTE, "/bin/start") in reach(runbook, {}).touches
    assert [step.name for step in runbook.all_steps()] == ["a", "another way", "way back"]


RESCUES = {
    "when: run.changed": "when: agent.runing",
    "- name: another way": "- name: a",
    "[/bin/start]": "[start]",
    "on_interrupt: rerun": "rescue: [{name: c, ensure: run.check}]",
    "retry: {attempts: 2}": "retry: {attempts: 0}",
    "rolls_back: true": "rolls_back: maybe",
    "  rescue:\n": "  rolls_back: true\n  rescue:\n",
}
TOLD = (
    "8:11: agent has no 'runing'; did you mean 'running'?",
    "7:5: two steps are named 'a'",
    "10:20: the program must be an absolute path",
    "12:5: a rescue's step has no 'rescue'",
    "11:23: attempts is a whole number",
    "13:57: rolls_back must be true or false",
    "6:3: a step has no 'rolls_back'",
)


@pytest.mark.parametrize(("right", "told"), list(zip(RESCUES, TOLD, strict=True)))
def test_rescue_that_is_wrong_is_told_at_its_place(right: str, told: str) -> None:
    assert complaints(RESCUE) == []
    (found,) = complaints(RESCUE.replace(right, RESCUES[right]))
    assert found.startswith(told)


def test_secret_in_an_argument_of_a_rescue_is_refused() -> None:
    text = RESCUE.replace("steps:", "params: {key: {secret: true}}\nsteps:")
    text = text.replace("[/bin/start]", "[/bin/start, '${params.key}']")
    (found,) = complaints(text)
    assert "params.key is secret" in found


def test_rescue_is_as_long_as_the_manual_says_and_no_longer() -> None:
    def text(count: int) -> str:
        steps = ", ".join(f"{{name: r{n}, ensure: run.check}}" for n in range(count))
        return f"name: x\nsteps: [{{name: a, ensure: run.check, rescue: [{steps}]}}]\n"

    assert complaints(text(MAX_RESCUE)) == []
    assert "rescue must be a list of 1 to 20 steps" in complaints(text(MAX_RESCUE + 1))[0]


@pytest.mark.parametrize(
    ("lock", "locks"),
    [
        ("service:x", ("service:x",)),
        ("[service:x, file:/etc/x]", ("service:x", "file:/etc/x")),
        ('"x:${params.p}"', ("x:${params.p}",)),
    ],
)
def test_lock_is_one_resource_or_several(lock: str, locks: tuple[str, ...]) -> None:
    assert load(f"name: x\nparams: {{p: {{}}}}\nlock: {lock}\n{STEP}").locks == locks
    assert load(f"name: x\n{STEP}").locks == ()


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("3", "2:7: lock must be text"),
        ("[]", "2:7: lock must be a list of texts"),
        ("''", "2:7: a lock names a resource"),
        ("[a, ' ']", "2:7: a lock names a resource"),
        ('[a, "${params.p}"]', "2:11: ${params.p} is unknown here"),
        (f"[{', '.join(f'l{n}' for n in range(MAX_LOCKS + 1))}]", "2:7: lock names at most 20"),
    ],
)
def test_lock_of_a_wrong_shape_is_told_at_its_place(lock: str, told: str) -> None:
    assert complaints(f"name: x\nlock: {lock}\n{STEP}")[0].startswith(told)


@pytest.mark.parametrize(
    ("names", "told"),
    [("[a, b, a]", "2:22: list has 'a' twice"), ("[a, '']", "2:22: list has an empty name")],
)
def test_list_to_go_over_names_each_thing_once(names: str, told: str) -> None:
    """Two passes of one name could not be told apart in a report."""
    assert complaints(f"name: x\nfor_each: {{i: {{list: {names}}}}}\n{STEP}") == [told]
