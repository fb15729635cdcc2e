"""Secrets in a runbook: where one may stand, and that lint lets it stand nowhere else."""

import pytest

from tests.unit.contract.runbook_text import AGENT, STEP, complaints, with_step

SECRET = AGENT + "params: {key: {secret: true}, path: {}, n: {type: integer}}\n"


def lint(step: str) -> list[str]:
    return complaints(with_step(step, SECRET))


SECRETS = {
    "command: [/x, '${params.key}']": "argv[]",
    "command: [/x], env: {K: '${params.key}'}": "env.K",
    "command: [/x], cwd: '/${params.key}'": "cwd",
    "command: [/x], scrub: ['/${params.key}']": "scrub[]",
    "command: [/x], files: [{path: '/${params.key}', content: c}]": "files[].path",
    "file.write: {path: '/${params.key}', content: c}": "path",
    "file.write: {path: /x, content: c, owner: '${params.key}'}": "owner",
    "file.remove: {path: '/${params.key}'}": "path",
}


@pytest.mark.parametrize("action", SECRETS)
def test_secret_outside_of_contents_and_stdin_is_refused(action: str) -> None:
    """A secret reaches a tool by a file or by stdin: never a command line, path or environment."""
    (found,) = lint(f"do: {{{action}}}\nensure: run.check")
    assert "params.key is secret and may stand in" in found
    assert found.endswith(f"not in {SECRETS[action]}")


def test_secret_in_contents_or_stdin_is_taken() -> None:
    for action in (
        "command: [/x], stdin: 'a${params.key}'",
        "command: [/x], files: [{path: /k, content: 'K=${params.key}'}]",
        "file.write: {path: /x, content: '${params.key}'}",
    ):
        assert lint(f"do: {{{action}}}\nensure: run.check") == []


@pytest.mark.parametrize(
    "head",
    [
        "lock: '${params.key}'",
        "for_each: {i: {glob: {path: '/${params.key}'}}}",
        "for_each: {i: {list: [a], only: '${params.key}'}}",
    ],
)
def test_secret_in_a_lock_or_for_each_is_refused(head: str) -> None:
    found = complaints(f"name: x\nparams: {{key: {{secret: true}}}}\n{head}\n{STEP}")
    assert "${params.key} is unknown here" in found[0]


def test_secret_in_an_expression_is_refused_by_its_name() -> None:
    assert lint("ensure: params.key == 'x'") == [
        "6:11: params.key is secret; expressions can't see it"
    ]
