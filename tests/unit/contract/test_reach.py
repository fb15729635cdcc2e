"""What a runbook can touch, as the host's policy is asked about it."""

from collections.abc import Iterator
from importlib import resources

import msgspec
import pytest

from contract.action import ACTIONS
from contract.observation import OBSERVATIONS
from contract.reach import Reach, reach
from contract.touch import ANYTHING, Access, Touch
from tests.unit.contract.runbook_text import load

EXECUTE, CONTROL, READ, WRITE = Access.EXECUTE, Access.CONTROL, Access.READ, Access.WRITE
HEAD = "name: x\nobserve: {u: {unit: {name: a}}}\nsteps:\n- name: a\n  ensure: u.exists\n"
# Texts of arguments that are no paths on the host that are read or written as they stand.
NO_PATHS = {"cwd": "a program may do what it likes anyhow", "cmdline": "compared, not opened"}


def reached(text: str, **params: object) -> Reach:
    runbook = load(text)
    return reach(runbook, {"run.id": "r", "run.host": "h"} | runbook.texts(params))


def touched(action: str) -> set[Touch]:
    return set(reached(f"{HEAD}  do: {{{action}}}\n").touches)


def test_actions_tell_what_they_touch_also_in_a_rescue() -> None:
    """No action is a way around the host's policy."""
    assert reached(HEAD) == Reach(frozenset(), frozenset())
    text = (
        f"{HEAD}  do: {{unit: {{name: a.service, verb: start}}}}\n"
        "  rescue:\n  - {name: b, ensure: u.exists, do: {signal: {signal: HUP, unit: b.service}}}\n"
    )
    assert reached(text) == Reach(
        frozenset({"unit", "signal"}),
        frozenset({Touch(CONTROL, "a.service"), Touch(CONTROL, "b.service")}),
    )


@pytest.mark.parametrize(
    ("action", "touches"),
    [
        ("wait: {duration: 1s}", set()),
        ("file.write: {path: /a, content: x}", {Touch(WRITE, "/a")}),
        ("file.remove: {path: /a}", {Touch(WRITE, "/a")}),
        ("file.copy: {files: [{path: /a, to: /b}]}", {Touch(READ, "/a"), Touch(WRITE, "/b")}),
        (
            "command: [/bin/x], files: [{path: /f, content: x}], scrub: [/s]",
            {Touch(EXECUTE, "/bin/x"), Touch(WRITE, "/f"), Touch(WRITE, "/s")},
        ),
        ("signal: {signal: HUP, cmdline: x}", {Touch(CONTROL, ANYTHING)}),
        (
            "signal: {signal: HUP, pid_file: /run/x}",
            {Touch(CONTROL, ANYTHING), Touch(READ, "/run/x")},
        ),
    ],
)
def test_action_tells_each_path_program_and_unit(action: str, touches: set[Touch]) -> None:
    """A signal by a pid file or command line may meet any process: that can't be known before."""
    assert touched(action) == touches


def test_programs_and_paths_that_a_parameter_names_are_told_too() -> None:
    """A host's policy is not got around by handing the program in."""
    text = (
        "name: x\n"
        "params:\n"
        "  test: {type: command, default: ''}\n"
        "  go: {type: command, default: /usr/sbin/x -t}\n"
        "  file: {default: ''}\n"
        "observe:\n"
        "  test: {command: ['${params.test}', -q]}\n"
        "  pair: {x509: {path: /a, key: '${params.file}'}}\n"
        "steps: [{name: a, ensure: test.exists, do: {command: ['${params.go}']}}]\n"
    )
    one = reached(text, test="", go="/bin/sh -c 'x y'", file="")
    assert one.touches == {Touch(EXECUTE, "/bin/sh"), Touch(READ, "/a")}
    two = reached(text, test="/bin/t /bin/u", go="/bin/g", file="/k")
    assert two.touches == {
        *(Touch(EXECUTE, program) for program in ("/bin/t", "/bin/g")),
        *(Touch(READ, path) for path in ("/a", "/k")),
    }


def test_items_that_are_not_known_yet_stand_as_wildcards() -> None:
    """Only the host's own look tells what they are; a unit named after one may be any."""
    text = (
        "name: x\nfor_each: {w: {glob: {path: '/srv/agent-*/'}}}\n"
        'observe: {f: {file: {path: "${w.path}/x"}}, g: {file: {path: "/var/${w.name}.pid"}}}\n'
        "steps:\n- name: a\n  ensure: f.exists && g.exists\n"
        '  do: {unit: {name: "a@${w.name}.service", verb: start}}\n'
    )
    assert reached(text).touches == {
        Touch(READ, "/srv/agent-*/"),
        Touch(READ, "/srv/*/x"),
        Touch(READ, "/var/*.pid"),
        Touch(CONTROL, ANYTHING),
    }


def test_items_that_are_listed_are_told_one_by_one() -> None:
    text = (
        "name: x\nfor_each: {w: {list: [a, ../b]}}\n"
        'observe: {f: {file: {path: "/srv/${w.name}"}}}\nsteps: [{name: a, ensure: f.exists}]\n'
    )
    assert reached(text).touches == {Touch(READ, "/srv/a"), Touch(READ, "/srv/../b")}


def test_what_no_stand_in_fits_is_told_as_unknown() -> None:
    text = (
        "name: x\nfor_each: {w: {glob: {path: '/srv/*'}}}\n"
        'observe: {t: {tls: {host: a, starttls: "${w.name}"}}}\n'
        "steps: [{name: a, ensure: t.served}]\n"
    )
    assert reached(text).unknown == (
        "tls at 3:11: what it touches depends on the items of for_each",
    )


def path_arguments() -> Iterator[tuple[str, str]]:
    for table in (OBSERVATIONS, ACTIONS):
        for name, kind in table.items():
            for field in msgspec.structs.fields(kind.arguments):
                if "AbsolutePath" in str(field.type) or "pattern='^/'" in str(field.type):
                    yield name, field.name


@pytest.mark.parametrize(("name", "argument"), [*path_arguments()])
def test_every_path_that_a_kind_takes_is_told(name: str, argument: str) -> None:
    """Who adds a path to a kind adds it to what the policy is asked."""
    kind = ACTIONS.get(name) or OBSERVATIONS[name]
    if argument in NO_PATHS or name == "certificates":  # looks everywhere anyhow
        return
    sample = {
        "argv": ["/bin/x"],
        "match": "x",
        "pointer": "",
        "host": "x",
        "url": "http://x/",
        "content": "x",
        "signal": "HUP",
    }
    fields = {field.name for field in msgspec.structs.fields(kind.arguments)}
    required = {f.name for f in msgspec.structs.fields(kind.arguments) if f.required}
    given = {n: v for n, v in sample.items() if n in fields & required}
    given |= dict.fromkeys(required - given.keys(), "/other")
    value = ["/marked"] if argument == "scrub" else "/marked"
    arguments = msgspec.convert(given | {argument: value}, kind.arguments)
    assert "/marked" in {touch.what for touch in kind.touches(arguments)}


def test_shipped_runbooks_are_known_in_full() -> None:
    """No shipped runbook is refused because nobody can tell what it touches."""
    for folder in ("cert", "oms", "tls"):
        for file in resources.files("runbooks").joinpath(folder).iterdir():
            if file.name.endswith(".yaml"):
                runbook = load(file.read_text())
                values = {p.name: p.default or "/sample" for p in runbook.parameters}
                assert reach(runbook, runbook.texts(values)).unknown == ()
