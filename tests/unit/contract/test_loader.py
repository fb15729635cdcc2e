"""The loader: YAML to Runbook, and every complaint at its place, all at once."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.action import ACTIONS
from contract.document import DocumentError
from contract.loader import MAX_ATTEMPTS, MAX_STEPS, load_runbook
from contract.observation import OBSERVATIONS
from contract.parameter import ParameterType
from contract.runbook import OnInterrupt, Retry
from tests.unit.contract.runbook_text import AGENT, RESTART, STEP, complaints, load, with_step


def test_runbook_of_the_design_loads_and_says_what_it_says() -> None:
    runbook = load(RESTART)
    (step,) = runbook.steps
    assert (runbook.name, runbook.locks) == ("restart", ("service:omsagent",))
    assert runbook.changes
    assert runbook.digest == sha256(RESTART.encode()).hexdigest()
    assert runbook.source == RESTART
    assert runbook.for_each
    assert (runbook.for_each.item, runbook.for_each.name) == ("workspace", "uuid")
    assert step.do
    assert step.do.arguments["leaves_daemon"] is True
    assert (step.within, step.on_interrupt) == (timedelta(seconds=60), OnInterrupt.RERUN)
    assert [seen.name for seen in runbook.observe] == ["certificate", "agent"]
    assert list(runbook.report or {}) == ["not_before", "not_after"]


def test_runbook_of_the_least_words_gets_the_defaults_of_the_manual() -> None:
    runbook = load(f"name: x\n{STEP}")
    (step,) = runbook.steps
    assert (step.within, step.timeout) == (timedelta(seconds=30), timedelta(minutes=5))
    assert (step.retry, step.on_interrupt) == (Retry(), OnInterrupt.UNKNOWN)
    assert (runbook.timeout, runbook.changes) == (timedelta(minutes=30), False)


def test_step_takes_everything_that_the_language_has() -> None:
    text = with_step(
        """
when: agent.running
ensure: agent.running && agent.user == "x"
do:
  command: [/bin/x, "${run.id}"]
  files: [{path: /k, content: "${params.key}", mode: "0400"}]
  scrub: [/k.old]
  stdin: "${params.key}"
  env: {A: b}
  cwd: /tmp
within: 1m
timeout: 2m
retry: {attempts: 3, delay: 10s}
on_interrupt: rerun
""",
        AGENT + "params: {key: {secret: true}}\n",
    )
    (step,) = load(text).steps
    assert step.retry == Retry(3, timedelta(seconds=10))
    assert step.timeout == timedelta(minutes=2)
    assert step.when
    assert step.do
    assert sorted(step.do.arguments) == ["argv", "cwd", "env", "files", "scrub", "stdin"]


def test_complaints_are_told_all_at_once_in_the_order_of_the_text() -> None:
    """A person fixes a runbook in one round, not in ten."""
    text = """\
name: Bad Name
sumary: x
params: {n: {type: integr}}
timeout: soon
steps:
- name: a
  ensur: run.check
  within: 60
- name: a
  ensure: run.check
  retry: {attempts: 0}
"""
    no_duration = "is not a duration; write a number and a unit, such as 30s, 5m or 60d"
    assert complaints(text) == [
        "1:7: 'Bad Name' is no name: use a-z, 0-9, - and _",
        "2:1: a runbook has no 'sumary'; did you mean 'summary'?",
        "3:20: type can't be 'integr'; did you mean 'integer'?",
        f"4:10: timeout: 'soon' {no_duration}",
        "6:3: a step needs 'ensure'",
        "7:3: a step has no 'ensur'; did you mean 'ensure'?",
        f"8:11: within: '60' {no_duration}",
        "9:3: two steps are named 'a'",
        "11:21: attempts is a whole number from 1 to 20",
    ]


SHAPES = {
    "[]": "1:1: a runbook must be a mapping",
    "text": "1:1: a runbook must be a mapping",
    f"{STEP}": "1:1: a runbook needs 'name'",
    "name: x": "1:1: a runbook needs 'steps'",
    f"name: 5\n{STEP}": "1:7: name must be text; quote it if it looks like something else",
    f"name: a/../b\n{STEP}": "1:7: 'a/../b' is no name: use a-z, 0-9, - and _",
    f"name: x\nlock: [3]\n{STEP}": "2:7: lock must be a list of texts",
    f"name: x\nparams: [a]\n{STEP}": "2:9: params must be a mapping of names",
    f"name: x\nparams: {{Upper: {{}}}}\n{STEP}": "2:10: 'Upper' can't be a name here",
    f"name: x\nparams: {{run: {{}}}}\n{STEP}": "2:10: 'run' can't be a name here",
    f"name: x\nobserve: {{now: {{file: {{path: /x}}}}}}\n{STEP}": "2:11: 'now' can't be a name",
    f"name: x\nobserve: {{f: {{file: {{}}, tcp: {{}}}}}}\n{STEP}": "2:14: observation f needs",
    f"name: x\nobserve: {{f: {{file: /x}}}}\n{STEP}": "2:21: observation f: file takes a mapping",
    f"name: x\nfor_each: {{}}\n{STEP}": "2:11: for_each needs something to go over",
    f"name: x\nfor_each: {{a: {{}}}}\n{STEP}": "2:15: for_each a needs either `glob` or `list`",
    f"name: x\nfor_each: {{a: {{list: [x]}}, b: {{list: [y]}}}}\n{STEP}": "2:28: for_each goes",
    f"name: x\nfor_each: {{a: {{list: []}}}}\n{STEP}": "2:22: list must be a list of texts",
    f"name: x\nfor_each: {{a: {{glob: {{name: uuid}}}}}}\n{STEP}": "2:22: glob needs 'path'",
    "name: x\nsteps: {a: b}": "2:8: steps must be a list of 1 to 100 steps",
    "name: x\nsteps: []": "2:8: steps must be a list of 1 to 100 steps",
    "name: x\nsteps: [a]": "2:9: a step must be a mapping",
    "name: x\nsteps: [{name: a, ensure: 5}]": "2:27: ensure must be an expression",
    "name: x\nsteps: [{name: a, ensure: ''}]": "2:27: ensure must be an expression",
    "name: x\nsteps: [{name: a, ensure: [a]}]": "2:27: ensure must be an expression; one",
    f"name: x\n{STEP}report: {{Up: now}}": "3:10: 'Up' can't be a name here",
    f"name: x\n{STEP}report: {{up: 5}}": "3:14: up must be an expression",
    f"name: x\n{STEP}report: []": "3:9: report must be a mapping of names",
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES, ids=range(len(SHAPES)))
def test_runbook_of_a_wrong_shape_is_refused_at_the_place(text: str) -> None:
    assert complaints(text)[0].startswith(SHAPES[text])


STEPS = {
    "ensure: run.check\ndo: {}": "5:7: `do` needs an action",
    "ensure: run.check\ndo: [/bin/x]": "5:7: `do` needs an action",
    "ensure: run.check\ndo: {file.remove: /x}": "5:21: file.remove takes a mapping of arguments",
    "ensure: run.check\ndo: {file.remove: {path: /x}, file.write: {}}": "5:7: `do` needs exactly",
    "ensure: run.check\ndo: {command: [/x], shell: true}": "5:23: `do: command` has no 'shell'",
    "ensure: run.check\ndo: {command: [/x], file.remove: {}}": "5:23: `do: command` has no 'file.",
    "ensure: run.check\nretry: 3": "5:10: retry must be a mapping",
    "ensure: run.check\nretry: {delay: 1s}": "5:10: retry needs 'attempts'",
    "ensure: run.check\nretry: {attempts: yes}": "5:21: attempts is a whole number",
    "ensure: run.check\nretry: {attempts: true}": "5:21: attempts is a whole number",
    f"ensure: run.check\nretry: {{attempts: {MAX_ATTEMPTS + 1}}}": "5:21: attempts is a whole",
    "ensure: run.check\non_interrupt: retry": "5:17: on_interrupt can't be 'retry'; did you mean",
    "ensure: run.check\nrescue: []": "5:11: rescue must be a list of 1 to 20 steps",
}


@pytest.mark.parametrize("step", STEPS, ids=range(len(STEPS)))
def test_step_of_a_wrong_shape_is_refused_at_the_place(step: str) -> None:
    text = with_step(step, head="")
    assert complaints(text)[0].startswith(STEPS[step])


@pytest.mark.parametrize(
    ("declaration", "default", "kind"),
    [
        ("{}", None, ParameterType.STRING),
        ("{default: a}", "a", ParameterType.STRING),
        ("{default: ''}", "", ParameterType.STRING),
        ("{secret: true, default: ''}", "", ParameterType.STRING),
        ("{type: integer, default: 0}", 0, ParameterType.INTEGER),
        ("{type: boolean, default: false}", False, ParameterType.BOOLEAN),
        ("{type: duration, default: 60d}", "60d", ParameterType.DURATION),
        ("{type: uuid, default: ''}", "", ParameterType.UUID),
        ("{type: enum, values: [a, 'no'], default: no}", "no", ParameterType.ENUM),
        ("{pattern: '[a-z]*', default: abc}", "abc", ParameterType.STRING),
    ],
)
def test_parameter_declared_rightly_has_its_type_and_default(
    declaration: str, default: object, kind: ParameterType
) -> None:
    (parameter,) = load(f"name: x\nparams: {{x: {declaration}}}\n{STEP}").parameters
    assert (parameter.default, parameter.type) == (default, kind)


def test_steps_up_to_the_limit_load_and_one_more_is_refused() -> None:
    def many(count: int) -> str:
        return "name: x\nsteps:\n" + "".join(
            f"- {{name: s{n}, ensure: run.check}}\n" for n in range(count)
        )

    assert len(load(many(MAX_STEPS)).steps) == MAX_STEPS
    assert "steps must be a list of 1 to 100" in complaints(many(MAX_STEPS + 1))[0]


plain = (
    st.none()
    | st.booleans()
    | st.integers(0, 9)
    | st.sampled_from(
        [
            "/bin/x",
            "${params.x}",
            "run.check",
            "agent.running",
            "a",
            "1s",
            "uuid",
            "(",
            "enum",
            "!",
            "",
        ]
    )
)
WORDS = st.sampled_from([
    *("name", "params", "lock", "timeout", "observe", "for_each", "steps", "report", "ensure"),
    *("do", "when", "within", "retry", "command", "files", "glob", "list", "only", "path"),
    *("pattern", "type", "default", "secret", "values", "agent", "x", *OBSERVATIONS, *ACTIONS),
])  # fmt: skip
trees = st.recursive(
    plain,
    lambda child: st.lists(child, max_size=3) | st.dictionaries(WORDS, child, max_size=4),
    max_leaves=15,
)


def survives(tree: Any) -> None:
    try:
        load_runbook(json.dumps(tree).encode(), "f.yaml")
    except DocumentError as error:
        for line in error.lines():
            assert "\n" not in line


@given(st.dictionaries(WORDS, trees, max_size=6))
def test_runbook_of_any_shape_loads_or_is_refused_by_name(tree: dict[str, Any]) -> None:
    """Known words in the wrong places give complaints, never a traceback."""
    survives({"name": "x", "steps": [{"name": "a", "ensure": "true"}], **tree})


@given(trees, trees, trees)
def test_step_of_any_shape_loads_or_is_refused_by_name(do: Any, observe: Any, each: Any) -> None:
    survives(
        {
            "name": "x",
            "params": {"x": {}},
            "for_each": {"item": each},
            "observe": {"agent": {"process": {"unit": "a"}}, "o": observe},
            "steps": [{"name": "a", "ensure": "agent.running", "do": do}],
        }
    )


@given(st.data())
def test_runbook_with_any_piece_cut_or_doubled_loads_or_is_refused_by_name(
    data: st.DataObject,
) -> None:
    start = data.draw(st.integers(0, len(RESTART)))
    end = data.draw(st.integers(start, min(start + 40, len(RESTART))))
    middle = data.draw(
        st.sampled_from(["", RESTART[start:end] * 2, "'", "${", "&& x.y", ": ", "\n"])
    )
    complaints(RESTART[:start] + middle + RESTART[end:])
