"""The JSON schema of the runbook language: for editors, and in step with the loader."""

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from contract import loader
from contract.action import ACTIONS, CommandFile, CopiedFile
from contract.document import DocumentError, read_document
from contract.duration import parse_duration
from contract.loader import load_runbook
from contract.locks import MAX_LOCKS
from contract.observation import OBSERVATIONS
from contract.parameter import ParameterType
from contract.runbook import (
    DEFAULT_ACTION_TIMEOUT,
    DEFAULT_TIMEOUT,
    DEFAULT_WITHIN,
    OnInterrupt,
)
from orchestrator.library import Library
from tests.unit.whole_runbook import WHOLE

FILES = resources.files("runbooks")
SCHEMA: dict[str, Any] = json.loads(FILES.joinpath("schema.json").read_bytes())
DEFS: dict[str, Any] = SCHEMA["$defs"]
VALIDATOR = Draft202012Validator(SCHEMA)

SHIPPED = (
    "cert/scan",
    *("oms/check", "oms/migrate", "oms/reonboard", "oms/restart"),
    *("tls/check", "tls/reload"),
)

HEAD = "name: x\nobserve:\n  agent: {process: {pid_file: /run/agent.pid}}\n"
STEP = "steps:\n  - name: it runs\n    ensure: agent.running\n"

# Every line of the language at least once.
BAD = {
    "no name": STEP,
    "no steps": "name: x\n",
    "empty steps": "name: x\nsteps: []\n",
    "name with capitals": HEAD.replace("name: x", "name: X") + STEP,
    "unknown key": HEAD + STEP + "handlers: []\n",
    "unknown step key": HEAD + STEP + "    notify: x\n",
    "step without ensure": HEAD + "steps:\n  - name: it runs\n",
    "duration without a unit": HEAD + "timeout: 30\n" + STEP,
    "duration of an unknown unit": HEAD + STEP + "    within: 3 days\n",
    "on_interrupt of another kind": HEAD + STEP + "    on_interrupt: retry\n",
    "retry without attempts": HEAD + STEP + "    retry: {delay: 3s}\n",
    "risk of another kind": HEAD + "risk: low\n" + STEP,
    "unattended that is a text": HEAD + "unattended: maybe\n" + STEP,
    "lock that is a number": HEAD + "lock: 3\n" + STEP,
    "lock of nothing": HEAD + "lock: []\n" + STEP,
    "lock without a name": HEAD + "lock: ''\n" + STEP,
    "rescue that is empty": HEAD + STEP + "    rescue: []\n",
    "rescue within rescue": (
        HEAD
        + STEP
        + "    rescue: [{name: r, ensure: run.check, rescue: [{name: s, ensure: true}]}]\n"
    ),
    "rescue's step without ensure": HEAD + STEP + "    rescue: [{name: r}]\n",
    "rolls_back outside of a rescue": HEAD + STEP + "    rolls_back: true\n",
    "rolls_back that is a text": (
        HEAD + STEP + "    rescue: [{name: r, ensure: run.check, rolls_back: maybe}]\n"
    ),
    "too many attempts": HEAD + STEP + "    retry: {attempts: 21}\n",
    "expression that is a number": "name: x\nsteps:\n  - {name: it, ensure: 3}\n",
    "unknown observation": "name: x\nobserve:\n  a: {proces: {pid_file: /x}}\n" + STEP,
    "two observations in one": HEAD + "  b: {file: {path: /x}, glob: {path: /x}}\n" + STEP,
    "unknown argument": HEAD + "  b: {file: {path: /x, follow: true}}\n" + STEP,
    "argument missing": HEAD + "  b: {file: {match: x}}\n" + STEP,
    "path that is relative": HEAD + "  b: {file: {path: etc/x}}\n" + STEP,
    "process without a way to find it": HEAD + "  b: {process: {user: x}}\n" + STEP,
    "port out of range": HEAD + "  b: {tcp: {host: x, port: 65536}}\n" + STEP,
    "unparsable of another kind": HEAD + "  b: {x509: {path: /x, unparsable: ok}}\n" + STEP,
    "relative path to scan": HEAD + "  b: {certificates: {paths: [x]}}\n" + STEP,
    "certificate_state of nothing": HEAD + "  b: {certificate_state: {names: [x]}}\n" + STEP,
    "too many handshakes": (
        HEAD + "  b: {certificate_state: {port: 443, handshakes: 51}}\n" + STEP
    ),
    "starttls of another kind": HEAD + "  b: {tls: {host: x, starttls: pop3}}\n" + STEP,
    "url of another kind": HEAD + "  b: {http: {url: ftp://x/}}\n" + STEP,
    "method that sends": HEAD + "  b: {http: {url: http://x/, method: POST}}\n" + STEP,
    "units by pattern": HEAD + "  b: {unit: {name: x*}}\n" + STEP,
    "log since nobody knows": HEAD + "  b: {log: {path: /x, match: x, since: soon}}\n" + STEP,
    "pointer that is none": HEAD + "  b: {json: {path: /x, pointer: a}}\n" + STEP,
    "pointer with a stray tilde": HEAD + "  b: {json: {path: /x, pointer: /a~2}}\n" + STEP,
    "verb of another kind": HEAD + STEP + "    do: {unit: {name: x, verb: enable}}\n",
    "signal of another kind": HEAD + STEP + "    do: {signal: {signal: SIGHUP, unit: x}}\n",
    "signal to nobody": HEAD + STEP + "    do: {signal: {signal: HUP, user: x}}\n",
    "wait without a unit": HEAD + STEP + '    do: {wait: {duration: "5"}}\n',
    "reserved name": "name: x\nobserve:\n  run: {file: {path: /x}}\n" + STEP,
    "no action": HEAD + STEP + "    do: {}\n",
    "unknown action": HEAD + STEP + "    do: {service: {name: x}}\n",
    "two actions": HEAD + STEP + "    do: {command: [/bin/x], file.remove: {path: /x}}\n",
    "option of command beside another action": (
        HEAD + STEP + "    do: {file.remove: {path: /x}, cwd: /tmp}\n"
    ),
    "command that is a text": HEAD + STEP + "    do: {command: /bin/x restart}\n",
    "program that is relative": HEAD + STEP + "    do: {command: [x, restart]}\n",
    "program with dots": HEAD + STEP + "    do: {command: [/opt/x/../sh]}\n",
    "program out of a parameter": (
        "name: x\nparams: {p: {default: /x}}\nobserve: {agent: {file: {path: /x}}}\n"
        'steps: [{name: it, ensure: agent.exists, do: {command: ["${params.p} -x"]}}]\n'
    ),
    "argument that is a number": HEAD + STEP + "    do: {command: [/bin/sleep, 5]}\n",
    "mode that is no mode": (
        HEAD + STEP + '    do: {file.write: {path: /x, content: x, mode: "999"}}\n'
    ),
    "unknown parameter type": HEAD + "params: {p: {type: float}}\n" + STEP,
    "enum without values": HEAD + "params: {p: {type: enum}}\n" + STEP,
    "values without enum": HEAD + "params: {p: {values: [a]}}\n" + STEP,
    "least of what is no integer": HEAD + "params: {p: {min: 1}}\n" + STEP,
    "most that is no integer": HEAD + "params: {p: {type: integer, max: many}}\n" + STEP,
    "default that is no path": HEAD + "params: {p: {type: path, default: x.pem}}\n" + STEP,
    "secret of another type": HEAD + "params: {p: {type: integer, secret: true}}\n" + STEP,
    "secret with a default": HEAD + "params: {p: {secret: true, default: hunter22}}\n" + STEP,
    "default of another type": HEAD + "params: {p: {type: integer, default: many}}\n" + STEP,
    "default that is no duration": HEAD + "params: {p: {type: duration, default: soon}}\n" + STEP,
    "default that is no command": HEAD + "params: {p: {type: command, default: ls}}\n" + STEP,
    "profiles without one": HEAD + "params: {p: {}}\nprofiles: {}\n" + STEP,
    "profile that is empty": HEAD + "params: {p: {}}\nprofiles: {a: {}}\n" + STEP,
    "profile of a list": HEAD + "params: {p: {}}\nprofiles: {a: {p: [x]}}\n" + STEP,
    "profile with capitals": HEAD + "params: {p: {}}\nprofiles: {A: {p: x}}\n" + STEP,
    "copy of nothing": HEAD + STEP + "    do: {file.copy: {files: []}}\n",
    "copy to nowhere": HEAD + STEP + "    do: {file.copy: {files: [{path: /x}]}}\n",
    "copy to a relative path": (
        HEAD + STEP + "    do: {file.copy: {files: [{path: /x, to: y}]}}\n"
    ),
    "for_each over nothing": HEAD + "for_each: {}\n" + STEP,
    "for_each over two things": HEAD + "for_each: {a: {list: [x]}, b: {list: [y]}}\n" + STEP,
    "for_each of glob and list": (HEAD + "for_each: {a: {glob: {path: /x/*}, list: [x]}}\n" + STEP),
    "for_each of a relative glob": HEAD + "for_each: {a: {glob: {path: x/*}}}\n" + STEP,
}


def complaints(text: str) -> list[str]:
    """What the schema has against a runbook."""
    document = read_document(text.encode(), "x.yaml").plain()
    return [error.message for error in VALIDATOR.iter_errors(document)]


def names(schema: dict[str, Any]) -> set[str]:
    return set(schema["properties"])


def own_fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """A struct's fields with their defaults; NODEFAULT for what must be given."""
    return {field.name: field.default for field in msgspec.structs.fields(kind)}


def required(kind: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind) if field.required}


def objects(schema: Any) -> Iterable[dict[str, Any]]:
    """Every schema of a mapping with named members."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for child in schema.values():
            yield from objects(child)
    if isinstance(schema, list):
        for child in schema:
            yield from objects(child)


def test_schema_is_one_of_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_schema_leaves_no_mapping_open() -> None:
    assert all(schema.get("additionalProperties") is False for schema in objects(SCHEMA))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_runbook_fits_the_schema(name: str) -> None:
    text = FILES.joinpath(f"{name}.yaml").read_text()
    assert complaints(text) == []


def test_every_shipped_runbook_is_tried() -> None:
    assert [found.name for found in Library().list()] == sorted(SHIPPED)


def test_runbook_with_everything_is_taken_by_schema_and_loader() -> None:
    load_runbook(WHOLE.encode(), "whole.yaml")
    assert complaints(WHOLE) == []


@pytest.mark.parametrize("what", BAD)
def test_bad_runbook_is_refused_by_schema_and_loader(what: str) -> None:
    with pytest.raises(DocumentError):
        load_runbook(BAD[what].encode(), "bad.yaml")
    assert complaints(BAD[what])


def test_schema_has_the_keys_of_the_loader() -> None:
    assert names(SCHEMA) == set(loader._KEYS)
    assert names(DEFS["step"]) == set(loader._STEP_KEYS)
    assert names(DEFS["rescue_step"]) == set(loader._RESCUE_KEYS)
    assert names(DEFS["parameter"]) == set(loader._PARAM_KEYS)
    assert set(DEFS["name"]["not"]["enum"]) == loader._RESERVED
    options = names(DEFS["action"]) - set(ACTIONS)
    assert options == set(loader._COMMAND_OPTIONS)


def test_schema_has_the_limits_of_the_loader() -> None:
    assert SCHEMA["properties"]["steps"]["maxItems"] == loader.MAX_STEPS
    assert DEFS["step"]["properties"]["rescue"]["maxItems"] == loader.MAX_RESCUE
    assert SCHEMA["properties"]["lock"]["anyOf"][1]["maxItems"] == MAX_LOCKS
    retry = DEFS["step"]["properties"]["retry"]["properties"]
    assert retry["attempts"]["maximum"] == loader.MAX_ATTEMPTS


def test_schema_has_the_choices_of_the_language() -> None:
    assert DEFS["parameter"]["properties"]["type"]["enum"] == [t.value for t in ParameterType]
    step = DEFS["step"]["properties"]
    assert step["on_interrupt"]["enum"] == [choice.value for choice in OnInterrupt]


def test_schema_has_the_defaults_of_the_language() -> None:
    step = DEFS["step"]["properties"]
    assert parse_duration(SCHEMA["properties"]["timeout"]["default"]) == DEFAULT_TIMEOUT
    assert parse_duration(step["within"]["default"]) == DEFAULT_WITHIN
    assert parse_duration(step["timeout"]["default"]) == DEFAULT_ACTION_TIMEOUT


def test_schema_has_every_observation() -> None:
    assert names(DEFS["observation"]) == set(OBSERVATIONS)


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_schema_has_the_arguments_of_an_observation(kind: str) -> None:
    schema = DEFS["observation"]["properties"][kind]
    if kind == "command":
        schema = schema["anyOf"][1]
    assert_fits(schema, OBSERVATIONS[kind].arguments)


@pytest.mark.parametrize("kind", ACTIONS)
def test_schema_has_the_arguments_of_an_action(kind: str) -> None:
    if kind != "command":
        assert_fits(DEFS["action"]["properties"][kind], ACTIONS[kind].arguments)
        if kind == "file.copy":
            copied = DEFS["action"]["properties"][kind]["properties"]["files"]["items"]
            assert_fits(copied, CopiedFile)
        return
    assert own_fields(ACTIONS[kind].arguments).keys() == {"argv", *loader._COMMAND_OPTIONS}
    assert_fits(DEFS["action"]["properties"]["files"]["items"], CommandFile)


def assert_fits(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    assert names(schema) == own_fields(kind).keys()
    assert set(schema.get("required", ())) == required(kind)
    for name, default in own_fields(kind).items():
        if default not in (None, msgspec.NODEFAULT):
            assert schema["properties"][name]["default"] == default
