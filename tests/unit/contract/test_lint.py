"""Lint: what is known to be wrong with a runbook before it is sent anywhere."""

import pytest

from contract.lint import vocabulary
from tests.unit.contract.runbook_text import (
    AGENT,
    RESTART,
    STEP,
    complaints,
    load,
    unmarked,
    with_step,
)

CERTIFICATE = (
    "observe: {agent: {process: {unit: a}}, cert: {x509: {path: /c.pem}}, "
    "j: {json: {path: /j, pointer: ''}}}\n"
)
SECRET = AGENT + "params: {key: {secret: true}, path: {}, n: {type: integer}}\n"


def lint(step: str, head: str = CERTIFICATE) -> list[str]:
    return complaints(with_step(step, head))


EXPRESSIONS = {
    "ensure: @@agent.runing": "agent has no 'runing'; did you mean 'running'?",
    "ensure: @@agnt.running": "undeclared reference to 'agnt.running'; did you mean 'agent'?",
    "ensure: @@agent": "undeclared reference to 'agent'",
    "ensure: @@run.checked": "run has no 'checked'; did you mean 'check",
    "ensure: @@params.x": "undeclared reference to 'params.x'",
    "ensure: @@env.HOME == 'x'": "undeclared reference to 'env.HOME'",
    "ensure: agent.running && agent.started_at @@> 3": "found no matching overload for '_>_'",
    "ensure: agent.running @@&& agent.pid": "found no matching overload for '_&&_'",
    "ensure: agent.running &&@@": "Syntax error",
    "ensure: now - duration('@@60d') < now": "duration('60d') is not CEL",
    "ensure: @@run.id": "must be true or false (a boolean expression)",
    "ensure: @@1 + 1": "must be true or false",
    "ensure: @@\"'true'\"": "must be true or false",
    "ensure: @@now": "must be true or false",
    "when: @@now\nensure: run.check": "must be true or false",
    "when: @@agent.runing\nensure: run.check": "agent has no 'runing'",
    "ensure: run.id == 'agent.runing' || @@agent.runing": "agent has no 'runing'",
    "ensure: @@agent.pid > 1": "agent.pid is there only if agent.running; write `agent",
    "ensure: cert.exists && cert.not_after > now && @@agent.pid > 1": "agent.pid is there only",
    "ensure: @@cert.not_after.getFullYear() > 2025": "cert.not_after is there only if cert.ex",
    "ensure: @@run.changed_at < now": "run.changed_at is there only if run.changed",
    "ensure: j.exists && @@j.number > 1": "j.number is there only if j.is_integer; write `j.is_",
    "ensure: @@j.is_integer && j.number > 1": "j.is_integer is there only if j.exists",
    "ensure: \"'agent.running' == run.id && @@agent.pid > 1\"": "agent.pid is there only",
}  # fmt: skip


@pytest.mark.parametrize("step", EXPRESSIONS)
def test_expression_that_is_wrong_is_told_at_its_column(step: str) -> None:
    text, place = unmarked(with_step(step, CERTIFICATE))
    (found,) = complaints(text)
    assert found.startswith(f"{place}: {EXPRESSIONS[step]}")


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (">-\n  agent.running &&\n  agent.runing", "7:5"),
        (">-\n  agent.running\n    && agent.runing", "7:10"),
        (">-\n\n  agent.running\n\n  && agent.runing", "9:8"),
        ("|\n  agent.running\n    && agent.runing", "7:10"),
        ("'agent.running\n  && agent.runing'", "6:8"),
        ("agent.running\n  && agent.runing", "6:8"),
        ('"agent.user == \\"x\\"\n  && agent.running\n && agent.runing"', "7:7"),
    ],
)
def test_expression_over_several_lines_is_told_at_line_and_column(block: str, place: str) -> None:
    (found,) = lint(f"ensure: {block}")
    assert found == f"{place}: agent has no 'runing'; did you mean 'running'?"


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("!run.check", "5:11"),
        ("'a' == run.id", "5:15"),
        ('"a" == run.id', "5:15"),
        ("[1] == [1]", "5:15"),
        ("run.check ? true: false", "5:27"),
        ("{1: 2} == {1: 2}", "5:18"),
    ],
)
def test_expression_that_yaml_misreads_gets_the_hint_for_a_block(
    expression: str, place: str
) -> None:
    """The commonest trap of the language is answered with what to write instead."""
    (found,) = lint(f"ensure: {expression}")
    assert found.startswith(f"{place}: ")
    assert "needs a block scalar: put '>-' after the key" in found
    assert lint(f"ensure: >-\n  {expression}") == []


def test_expression_guarded_anywhere_in_it_is_taken() -> None:
    for source in ("agent.running && agent.pid > 1", "agent.running ? agent.pid > 1 : true"):
        assert lint(f"ensure: >-\n  {source}") == []
    assert lint("ensure: run.changed && run.changed_at < now") == []
    glob = "observe: {g: {glob: {path: /x/*}}, t: {tcp: {host: h}}}\n"
    assert lint("ensure: g.count == 0 && g.names == [] && t.error == ''", glob) == []


REPORTS = {
    "cert.not_after": None,
    "agent.pid": None,
    "cert.san": None,
    "double(agent.pid) / 2.0": None,
    "now - cert.not_before": None,
    "cert.not_aftr": "cert has no 'not_aftr'; did you mean 'not_after'?",
    "params.key": "params.key is secret; expressions can't see it",
    "type(1)": "must be a text, a number, a time or true or false",
    "b'x'": "must be a text",
    "{'a': 1}": "must be a text",
    "null": "must be a text",
}


@pytest.mark.parametrize("expression", REPORTS)
def test_report_holds_only_what_can_travel_and_is_not_secret(expression: str) -> None:
    head = CERTIFICATE + "params: {key: {secret: true}}\n"
    found = complaints(f"name: x\n{head}{STEP}report:\n  v: >-\n    {expression}\n")
    message = REPORTS[expression]
    assert [line.split(": ", 1)[1] for line in found] == ([message] if message else []) or (
        message is not None and message in found[0]
    )


ARGUMENTS = {
    "{command: [@@bin/x]}": "the program must be an absolute path without ${…} or ..",
    "{command: [@@'${params.path}']}": "the program must be an absolute path",
    "{command: [@@'/bin/${params.path}']}": "the program must be an absolute path",
    "{command: [@@/opt/a/../../bin/sh]}": "the program must be an absolute path",
    "{command: [@@//bin/sh]}": "the program must be an absolute path",
    "{command: [@@/bin/./sh]}": "the program must be an absolute path",
    "{command: @@/bin/true}": "argv: Expected `array`, got `str`",
    "{command: @@[]}": "argv: Expected `array` of length >= 1",
    "{command: [/bin/sleep, @@5]}": "argv.1: Expected `str`, got `int`",
    "{command: [/x, @@'${params.y}']}": "${params.y} is unknown here; known are: ",
    "{command: [/x, @@'${params.path.z}']}": "${params.path.z} is not a name",
    "{command: [/x], leaves_daemon: @@'no'}": "leaves_daemon: Expected `bool`",
    "{command: [/x], files: [{path: @@k, content: c}]}": "files.0.path: must be an absolute path",
    "{command: [/x], files: [{path: /k, content: c, mode: @@'0999'}]}": "files.0.mode",
    "{command: [/x], files: [{path: /k, @@contnt: c}]}": "Object contains unknown field `contnt`",
    "{command: [/x], files: [@@{path: /k}]}": "files.0: Object missing required field `content`",
    "{command: [/x], cwd: @@tmp}": "cwd: must be an absolute path",
    "{command: [/x], env: @@{A: 1}}": "env",
    "{file.write: @@{path: /x}}": "arguments: Object missing required field `content`",
    "{file.write: {path: /x, content: a, @@mod: '1'}}": "Object contains unknown field `mod`; did",
    "{file.remove: {path: @@x}}": "path: must be an absolute",
    "{unit: {name: @@'web*', verb: start}}": "name: must be the name of one unit",
    "{unit: {name: web, verb: @@enable}}": "verb: Invalid enum value 'enable'",
    "{signal: {signal: @@HANGUP, unit: a}}": "signal: Invalid enum value 'HANGUP'",
    "{signal: @@{signal: HUP, user: root}}": "signal needs pid_file, cmdline or unit",
    "{signal: {signal: HUP, pid_file: @@run/a.pid}}": "pid_file: must be an absolute path",
    "{signal: {signal: HUP, unit: a, all: @@'no'}}": "all: Expected `bool`",
    "{wait: {duration: @@3 days}}": "'3 days' is not a duration such as 5s",
    "{wait: @@{}}": "arguments: Object missing required field `duration`",
    "@@{file.delete: {path: /x}}": "there is no action 'file.delete'; did you mean 'file",
    "@@{shell: {x: y}}": "there is no action 'shell'; known are: command, file.copy, file.",
}  # fmt: skip


@pytest.mark.parametrize("action", ARGUMENTS)
def test_action_with_wrong_arguments_is_told_at_its_place(action: str) -> None:
    text, place = unmarked(with_step(f"do: {action}\nensure: run.check", SECRET))
    (found,) = complaints(text)
    assert found.startswith(f"{place}: {ARGUMENTS[action]}")


OBSERVED = {
    "@@o: {x510: {path: /x}}": "there is no observation 'x510'; did you mean 'x509'?",
    "o: {x509: @@{}}": "arguments: Object missing required field `path`",
    "o: {x509: {path: @@c.pem}}": "path: must be an absolute path",
    "o: {x509: {path: /x, @@pth: y}}": "Object contains unknown field `pth`; did you mean 'path'?",
    "o: {x509: {path: /x, unparsable: @@ok}}": "unparsable: Invalid enum value 'ok'",
    "@@o: {process: {}}": "process needs pid_file, cmdline or unit",
    "@@o: {process: {user: root}}": "process needs pid_file, cmdline or unit",
    "o: {tcp: {host: h, port: @@0}}": "port: Expected `int` >= 1",
    "o: {tcp: {host: h, port: @@70000}}": "port: Expected `int` <= 65535",
    "o: {file: {path: /x, match: @@'('}}": "'(' is not a regular expression",
    "o: {glob: {path: /x, name: @@'['}}": "'[' is not a regular expression",
    "o: {command: [@@ls]}": "the program must be an absolute path",
    "o: {command: [/bin/ls, @@7]}": "argv.1: Expected `str`, got `int`",
    "o: {command: {argv: [@@/bin/../ls]}}": "the program must be an absolute path",
    "o: {tcp: {host: h, timeout: @@soon}}": "'soon' is not a duration such as 5s",
    "o: {command: {argv: [/x], timeout: @@'5'}}": "'5' is not a duration such as 5s",
    "o: {tls: {host: h, timeout: @@1 s}}": "'1 s' is not a duration such as 5s",
    "o: {tls: {host: h, starttls: @@pop3}}": "starttls: Invalid enum value 'pop3'",
    "o: {tls: @@{port: 1}}": "arguments: Object missing required field `host`",
    "o: {http: {url: @@ftp://h/}}": "url: must begin with http:// or https://",
    "o: {http: {url: @@'http://u:p@h/'}}": "a URL may hold no user name and no password",
    "o: {http: {url: @@'http://h:99999/'}}": "'http://h:99999/' is no URL: Port out of range",
    "o: {http: {url: @@'http:///x'}}": "'http:///x' is no URL such as https://host:port/path",
    "o: {http: {url: http://h/, headers: {a b: @@c}}}": "'a b' is no header of HTTP",
    'o: {http: {url: http://h/, headers: {a: @@"b\\nc: d"}}}': "'a' is no header of HTTP",
    "o: {http: {url: http://h/, method: @@POST}}": "method: Invalid enum value 'POST'",
    "o: {http: {url: http://h/, match: @@'('}}": "'(' is not a regular expression",
    "o: {http: {url: http://h/, timeout: @@x}}": "'x' is not a duration such as 5s",
    "o: {http: {url: https://h/, ca_file: @@ca.pem}}": "ca_file: must be an absolute path",
    "o: {http: {url: @@'http://h/${params.key}'}}": "${params.key} is unknown here",
    "o: {unit: {name: @@'web.*'}}": "name: must be the name of one unit",
    "o: {log: {path: /x, match: @@'('}}": "'(' is not a regular expression",
    "o: {log: {path: /x, match: x, since: @@yesterday}}": "'yesterday' is neither a duration",
    "o: {log: @@{path: /x}}": "arguments: Object missing required field `match`",
    "o: {json: {path: /x, pointer: @@a/b}}": "'a/b' is not a JSON pointer: it begins with /",
    "o: {json: {path: /x, pointer: @@/a~2}}": "'/a~2' is not a JSON pointer: write ~0",
    "o: {file: {path: @@'/${params.key}'}}": "${params.key} is unknown here",
    "o: {file: {path: @@'/${params.nope}'}}": "${params.nope} is unknown here",
}


@pytest.mark.parametrize("observed", OBSERVED)
def test_observation_with_wrong_arguments_is_told_at_its_place(observed: str) -> None:
    head = "params: {key: {secret: true}}\n"
    text, place = unmarked(f"name: x\n{head}observe: {{{observed}}}\n{STEP}")
    (found,) = complaints(text)
    assert found.startswith(f"{place}: {OBSERVED[observed]}")


ITEMS = {
    "glob: {path: /x/*, name: uuid}": "",
    "glob: {path: /x/*, name: '[a-z]+'}": "",
    "glob: {path: '/${params.path}/*'}": "",
    "list: [a, b], only: '${params.path}'": "",
    "glob: {path: x/*}": "the glob's path must be absolute",
    "glob: {path: '/${i.name}'}": "${i.name} is unknown here",
    "glob: {path: /x/*, name: '('}": "3:41: name is not a regular expression of RE2's",
    "glob: {path: /x/*}, only: '${params.z}'": "${params.z} is unknown here",
}


@pytest.mark.parametrize("item", ITEMS)
def test_for_each_is_checked_before_anything_runs(item: str) -> None:
    found = complaints(f"name: x\nparams: {{path: {{}}}}\nfor_each: {{i: {{{item}}}}}\n{STEP}")
    assert (ITEMS[item] in found[0]) if ITEMS[item] else (found == [])


def test_for_each_item_gives_its_name_and_path_to_expressions_and_texts() -> None:
    head = "for_each: {i: {list: [a]}}\nobserve: {f: {file: {path: '/x/${i.name}'}}}\n"
    assert complaints(with_step("ensure: f.exists && i.name != i.path", head)) == []
    found = complaints(with_step("ensure: i.nam == ''", head))
    assert found == ["6:11: i has no 'nam'; did you mean 'name'?"]


def test_for_each_item_and_observation_of_one_name_are_refused() -> None:
    head = "for_each: {f: {list: [a]}}\nobserve: {f: {file: {path: /x}}}\n"
    assert "3:11: 'f' is the name of for_each's item already" in complaints(
        f"name: x\n{head}{STEP}"
    )


def test_argument_that_is_wholly_a_parameter_is_left_to_the_host() -> None:
    """Only the host sees what a path, mode or port becomes; lint doesn't guess."""
    head = (
        "params: {path: {}, mode: {default: '0600'}, port: {}}\n"
        "observe:\n  f: {file: {path: '${params.path}'}}\n"
        "  t: {tcp: {host: h, port: '${params.port}'}}\n"
    )
    do = "file.write: {path: '${params.path}', content: '', mode: '${params.mode}'}"
    assert complaints(with_step(f"ensure: f.exists && t.open\ndo: {{{do}}}", head)) == []
    assert complaints(
        with_step("do: {file.remove: {path: 'x/${params.path}'}}\nensure: f.exists", head)
    )


def test_vocabulary_of_the_design_s_runbook_has_every_name_with_its_type() -> None:
    names = vocabulary(load(RESTART)).names
    assert names["agent.started_at"] == names["certificate.not_before"] == "timestamp"
    assert names["params.force"] == names["run.check"] == "boolean"
    assert {"workspace.name", "workspace.path", "now", "run.accepted_at"} <= set(names)


@pytest.mark.parametrize("word", ["as", "if", "for", "package", "null", "in", "params", "true"])
def test_name_that_is_a_word_of_cel_is_refused_not_crashed_on(word: str) -> None:
    head = f"observe: {{{word}: {{file: {{path: /x}}}}}}\n"
    assert complaints(with_step(f"ensure: {word}.exists", head))


@pytest.mark.parametrize("word", ["duration", "size", "string", "type", "int", "all", "has"])
def test_name_that_is_also_a_function_of_cel_works_as_a_name(word: str) -> None:
    head = f"observe: {{{word}: {{file: {{path: /x}}}}}}\n"
    step = f"ensure: {word}.exists && {word}.size > 1 && duration('1s') > duration('0s')"
    assert complaints(with_step(step, head)) == []
