"""YAML text to Runbook. Every problem is told at once, each with its line and column."""

import hashlib
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from contract import reading
from contract.declaration import check_declaration
from contract.document import DocumentError, Node, Position, read_document
from contract.expression import Expression
from contract.lint import check_runbook
from contract.locks import read_locks
from contract.parameter import LARGEST, PROFILE, Parameter, ParameterType
from contract.profile import profile_parameter, read_profile
from contract.reading import Reader
from contract.runbook import (
    DEFAULT_ACTION_TIMEOUT,
    DEFAULT_TIMEOUT,
    DEFAULT_WITHIN,
    Action,
    ForEach,
    Observation,
    OnInterrupt,
    Retry,
    Risk,
    Runbook,
    Step,
)

MAX_STEPS = 100
MAX_RESCUE = 20  # steps of one rescue
MAX_ATTEMPTS = 20
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RUNBOOK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)*")
_RESERVED = frozenset({"params", "run", "now", "true", "false", "null", "in"})

_KEYS = (
    *("name", "summary", "params", "profiles", "lock", "timeout"),
    *("risk", "unattended", "observe", "for_each", "steps", "report", "tell"),
)
_PLAIN_STEP_KEYS = ("name", "when", "ensure", "do", "within", "timeout", "retry", "on_interrupt")
_STEP_KEYS = (*_PLAIN_STEP_KEYS, "rescue")
_RESCUE_KEYS = (*_PLAIN_STEP_KEYS, "rolls_back")
_PARAM_KEYS = ("type", "summary", "default", "pattern", "values", "min", "max", "secret")
_COMMAND_OPTIONS = ("files", "scrub", "leaves_daemon", "stdin", "env", "cwd", "output")


def load_runbook(data: bytes, file: str) -> Runbook:
    """Read, check and type-check a runbook.

    `file` is the name to show in errors. Raises DocumentError with every problem found.
    """
    root = read_document(data, file)
    reader = Reader()
    runbook = _runbook(reader, root, data)
    problems = reader.problems or check_runbook(runbook, root)
    if problems:
        raise DocumentError(file, problems)
    return runbook


def _runbook(reader: Reader, root: Node, data: bytes) -> Runbook:
    top = reader.mapping(root, _KEYS, required=("name", "steps"), what="a runbook")
    parameters = tuple(_parameters(reader, top.get("params")))
    profiles = dict(_profiles(reader, top.get("profiles"), parameters))
    return Runbook(
        name=reader.name(top, "name", _RUNBOOK_NAME),
        summary=reader.text(top, "summary"),
        source=data.decode(),
        digest=hashlib.sha256(data).hexdigest(),
        parameters=(*parameters, *([profile_parameter(list(profiles))] if profiles else [])),
        profiles=profiles,
        observe=tuple(_observations(reader, top.get("observe"))),
        for_each=_for_each(reader, top.get("for_each")),
        locks=tuple(read_locks(reader, top)),
        timeout=reader.duration(top, "timeout", DEFAULT_TIMEOUT),
        risk=reader.choice(top, "risk", Risk, Risk.NORMAL),
        unattended=reader.boolean(top, "unattended"),
        steps=tuple(_steps(reader, top.get("steps"))),
        report=dict(_report(reader, top.get("report"))),
        tell=tuple(reader.texts(top, "tell")),
    )


def _named(reader: Reader, node: Node | None, what: str) -> Iterable[tuple[str, Node, Position]]:
    if node is None:
        return
    if not isinstance(node.value, dict):
        reader.complain(node.at, f"{what} must be a mapping of names")
        return
    for name, child in node.value.items():
        at = node.key_at[name]
        if not _NAME.fullmatch(name) or name in _RESERVED:
            reader.complain(
                at, f"{name!r} can't be a name here: use a-z, 0-9 and _, not a CEL word"
            )
        else:
            yield name, child, at


def _parameters(reader: Reader, node: Node | None) -> Iterable[Parameter]:
    for name, child, at in _named(reader, node, "params"):
        fields = reader.mapping(child, _PARAM_KEYS, what=f"parameter {name}")
        parameter = Parameter(
            name=name,
            type=reader.choice(fields, "type", ParameterType, ParameterType.STRING),
            summary=reader.text(fields, "summary"),
            pattern=reader.pattern(fields, "pattern"),
            values=tuple(reader.texts(fields, "values")),
            min=reader.integer(fields, "min", -LARGEST),
            max=reader.integer(fields, "max", LARGEST),
            secret=reader.boolean(fields, "secret"),
            default=fields["default"].plain() if "default" in fields else None,
        )
        check_declaration(reader, parameter, fields, at)
        yield parameter


def _profiles(
    reader: Reader, node: Node | None, parameters: Iterable[Parameter]
) -> Iterable[tuple[str, dict[str, Any]]]:
    declared = {parameter.name: parameter for parameter in parameters}
    if node is not None and PROFILE in declared:
        message = f"{PROFILE!r} chooses one of these; give that parameter another name"
        reader.complain(node.at, message)
    if node is not None and node.value == {}:
        reader.complain(node.at, "profiles needs at least one")
    for name, child, _ in _named(reader, node, "profiles"):
        yield name, read_profile(reader, name, child, declared)


def _observations(reader: Reader, node: Node | None) -> Iterable[Observation]:
    for name, child, at in _named(reader, node, "observe"):
        kind, arguments = reader.single(child, f"observation {name}")
        if arguments is None:
            continue
        plain = arguments.plain()
        if kind == "command" and isinstance(plain, list):
            plain = {"argv": plain}
        if not isinstance(plain, dict):
            reader.complain(
                arguments.at, f"observation {name}: {kind} takes a mapping of arguments"
            )
            continue
        yield Observation(name, kind, plain, at)


def _for_each(reader: Reader, node: Node | None) -> ForEach | None:
    named = list(_named(reader, node, "for_each"))
    if not named:
        if node is not None and node.value == {}:
            reader.complain(node.at, "for_each needs something to go over")
        return None
    if len(named) > 1:
        reader.complain(named[1][2], "for_each goes over one thing")
    item, child, _ = named[0]
    fields = reader.mapping(child, ("glob", "list", "only"), what=f"for_each {item}")
    if ("glob" in fields) == ("list" in fields):
        reader.complain(child.at, f"for_each {item} needs either `glob` or `list`")
    glob: dict[str, Node] = {}
    if "glob" in fields:
        glob = reader.mapping(fields["glob"], ("path", "name", "tell"), ("path",), "glob")
    return ForEach(
        item=item,
        glob=reader.text(glob, "path"),
        name=reader.pattern(glob, "name"),
        tell=reader.pattern(glob, "tell"),
        only=reader.text(fields, "only"),
        values=tuple(_listed(reader, fields)),
    )


def _listed(reader: Reader, fields: dict[str, Node]) -> list[str]:
    values = reader.texts(fields, "list")
    if not all(value.strip() for value in values):
        reader.complain(fields["list"].at, "list has an empty name")
    for value in dict.fromkeys(values):
        if values.count(value) > 1:
            reader.complain(fields["list"].at, f"list has {value!r} twice")
    return values


def _steps(reader: Reader, node: Node | None) -> Iterable[Step]:
    steps = list(_list_of_steps(reader, node, "steps", MAX_STEPS))
    seen: set[str] = set()
    for step in (each for top in steps for each in (top, *top.rescue)):
        if step.name and step.name in seen:
            reader.complain(step.at, f"two steps are named {step.name!r}")
        seen.add(step.name)
    return steps


def _list_of_steps(reader: Reader, node: Node | None, what: str, most: int) -> Iterable[Step]:
    if node is None:
        return
    if not isinstance(node.value, list) or not 1 <= len(node.value) <= most:
        reader.complain(node.at, f"{what} must be a list of 1 to {most} steps")
        return
    for child in node.value:
        yield _step(reader, child, is_rescue=what == "rescue")


def _step(reader: Reader, node: Node, *, is_rescue: bool) -> Step:
    keys, what = (_RESCUE_KEYS, "a rescue's step") if is_rescue else (_STEP_KEYS, "a step")
    fields = reader.mapping(node, keys, ("name", "ensure"), what)
    name = reader.text(fields, "name")
    if "name" in fields and not name.strip():
        reader.complain(fields["name"].at, "a step's name says which state must hold")
    return Step(
        name=name,
        at=node.at,
        when=reader.expression(fields, "when") if "when" in fields else None,
        ensure=reader.expression(fields, "ensure"),
        do=_action(reader, fields.get("do")),
        within=reader.duration(fields, "within", DEFAULT_WITHIN),
        timeout=reader.duration(fields, "timeout", DEFAULT_ACTION_TIMEOUT),
        retry=_retry(reader, fields.get("retry")),
        on_interrupt=reader.choice(fields, "on_interrupt", OnInterrupt, OnInterrupt.UNKNOWN),
        rescue=tuple(_list_of_steps(reader, fields.get("rescue"), "rescue", MAX_RESCUE)),
        rolls_back=reader.boolean(fields, "rolls_back"),
    )


def _action(reader: Reader, node: Node | None) -> Action | None:
    if node is None:
        return None
    if not isinstance(node.value, dict) or not node.value:
        reader.complain(node.at, "`do` needs an action, such as `command: [/bin/true]`")
        return None
    if "command" in node.value:
        options = reader.mapping(node, ("command", *_COMMAND_OPTIONS), what="`do: command`")
        plain = {name: child.plain() for name, child in options.items()}
        plain["argv"] = plain.pop("command")
        return Action("command", plain, node.at)
    kind, arguments = reader.single(node, "`do`")
    if arguments is None:
        return None
    if not isinstance(arguments.value, dict):
        reader.complain(arguments.at, f"{kind} takes a mapping of arguments")
        return None
    return Action(kind, arguments.plain(), node.at)


def _retry(reader: Reader, node: Node | None) -> Retry:
    if node is None:
        return Retry()
    fields = reader.mapping(node, ("attempts", "delay"), ("attempts",), "retry")
    attempts = fields["attempts"].value if "attempts" in fields else 1
    if not reading.is_integer(attempts) or not 1 <= attempts <= MAX_ATTEMPTS:
        reader.complain(
            fields["attempts"].at, f"attempts is a whole number from 1 to {MAX_ATTEMPTS}"
        )
        attempts = 1
    return Retry(attempts, reader.duration(fields, "delay", timedelta(0)))


def _report(reader: Reader, node: Node | None) -> Iterable[tuple[str, Expression]]:
    for name, _child, _at in _named(reader, node, "report"):
        assert node is not None  # noqa: S101 - _named yields nothing for None
        fields: dict[str, Any] = node.value
        yield name, reader.expression(fields, name)
