"""What can be known to be wrong with a runbook before it is sent anywhere."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from contract import template
from contract.action import ACTIONS, texts
from contract.arguments import misfits, place_of, wrong_texts
from contract.document import Node, Position, Problem
from contract.expression import Compiled, Expression, ExpressionError, ValueType, Vocabulary
from contract.observation import OBSERVATIONS
from contract.parameter import Parameter, ParameterType, did_you_mean
from contract.place import offset_of, place_in_yaml
from contract.program import is_plain_path
from contract.runbook import Action, Observation, Risk, Runbook, Step

RUN_NAMES: Mapping[str, ValueType] = {
    "run.id": ValueType.STRING,
    "run.host": ValueType.STRING,
    "run.accepted_at": ValueType.TIMESTAMP,
    "run.check": ValueType.BOOL,
    "run.changed": ValueType.BOOL,  # an action of this pass has begun
    "run.changed_at": ValueType.TIMESTAMP,  # when the first one began; guarded by run.changed
    "now": ValueType.TIMESTAMP,
}
_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_Check = Callable[[Compiled], Iterator[Problem]]
_TEXT_NAMES = ("run.id", "run.host")
_SAMPLES: Mapping[ParameterType, Any] = {
    ParameterType.BOOLEAN: True,
    ParameterType.DURATION: "1s",
    ParameterType.TIMESTAMP: "2026-03-01T02:00:00Z",
    ParameterType.COMMAND: "/bin/true",
    ParameterType.UUID: "00000000-0000-0000-0000-000000000000",
    ParameterType.PATH: "/sample",
}


def vocabulary(runbook: Runbook) -> Vocabulary:
    """Return the typed names that the runbook's expressions may use."""
    names = dict(RUN_NAMES)
    for parameter in runbook.parameters:
        names |= parameter.names
    if runbook.for_each:
        names[f"{runbook.for_each.item}.name"] = ValueType.STRING
        names[f"{runbook.for_each.item}.path"] = ValueType.STRING
    for seen in runbook.observe:
        if kind := OBSERVATIONS.get(seen.kind):
            names |= {f"{seen.name}.{field}": type_ for field, type_ in kind.fields.items()}
    return Vocabulary(names)


def check_runbook(runbook: Runbook, root: Node) -> list[Problem]:
    """Return every problem of a runbook that was read from `root`."""
    return list(_Lint(runbook, root).problems())


def _sample(parameter: Parameter) -> Any:
    if parameter.type is ParameterType.INTEGER:
        return min(max(1, parameter.min), parameter.max)
    return _SAMPLES.get(parameter.type, "sample")


class _Lint:
    """One reading of one runbook."""

    def __init__(self, runbook: Runbook, root: Node) -> None:
        self.runbook = runbook
        self.root = root
        self.vocabulary = vocabulary(runbook)
        self.commands = {
            f"params.{p.name}" for p in runbook.parameters if p.type is ParameterType.COMMAND
        }
        self.secrets = {f"params.{p.name}" for p in runbook.parameters if p.secret}
        self.samples = self._sample_values()
        self.guards = self._guards()

    def problems(self) -> Iterator[Problem]:
        yield from self._names()
        yield from self._unattended()
        yield from self._for_each()
        for seen in self.runbook.observe:
            yield from self._observation(seen)
        for index, step in enumerate(self.runbook.steps):
            place: list[str | int] = ["steps", index]
            yield from self._step(step, self.root.find([*place, "do"]))
            for position, rescuing in enumerate(step.rescue):
                node = self.root.find([*place, "rescue", position, "do"])
                yield from self._step(rescuing, node)
        for expression in (self.runbook.report or {}).values():
            yield from self._expression(expression, self._reportable)
        yield from self._tell()

    def _sample_values(self) -> dict[str, Any]:
        values: dict[str, Any] = dict.fromkeys(_TEXT_NAMES, "sample")
        for p in self.runbook.parameters:
            values[f"params.{p.name}"] = p.default or _sample(p)
        if self.runbook.for_each:
            values[f"{self.runbook.for_each.item}.name"] = "sample"
            values[f"{self.runbook.for_each.item}.path"] = "/sample"
        return values

    def _guards(self) -> dict[str, str]:
        guards = {"run.changed_at": "run.changed"}
        guards |= {f"params.{p.name}": p.guard for p in self.runbook.parameters if p.guard}
        for seen in self.runbook.observe:
            kind = OBSERVATIONS.get(seen.kind)
            for field in kind.fields if kind else ():
                if kind and (guard := kind.guard_of(field)):
                    guards[f"{seen.name}.{field}"] = f"{seen.name}.{guard}"
        return guards

    def _names(self) -> Iterator[Problem]:
        item = self.runbook.for_each.item if self.runbook.for_each else None
        for seen in self.runbook.observe:
            if seen.name == item:
                yield Problem(seen.at, f"{seen.name!r} is the name of for_each's item already")

    def _unattended(self) -> Iterator[Problem]:
        if self.runbook.unattended and self.runbook.risk is Risk.HIGH:
            message = "a runbook of high risk needs people's consent: it can't be unattended"
            yield Problem(self.root.find(["unattended"]).at, message)

    def _for_each(self) -> Iterator[Problem]:
        for_each = self.runbook.for_each
        at = self.root.find(["for_each"]).at
        if for_each:
            allowed = {name for name in self.samples if name.startswith("params.")}
            allowed -= self.secrets | self.commands
            for text in (for_each.glob, for_each.only):
                yield from self._template(text, allowed, self.root.find(["for_each"]))
            if for_each.glob and not for_each.glob.startswith("/"):
                yield Problem(at, "for_each: the glob's path must be absolute")
        lock_names = set(_TEXT_NAMES) | {n for n in self.samples if n.startswith("params.")}
        lock_names -= self.secrets | self.commands
        for lock in self.runbook.locks:
            yield from self._template(lock, lock_names, self.root.find(["lock"]))

    def _observation(self, seen: Observation) -> Iterator[Problem]:
        node = self.root.find(["observe", seen.name, seen.kind])
        if seen.kind not in OBSERVATIONS:
            hint = did_you_mean(seen.kind, OBSERVATIONS)
            yield Problem(seen.at, f"there is no observation {seen.kind!r}{hint}")
            return
        for _, text in texts(seen.arguments):
            yield from self._template(text, set(self.samples) - self.secrets, node)
        kind = OBSERVATIONS[seen.kind].arguments
        yield from misfits(kind, seen.arguments, self.samples, node)
        yield from wrong_texts(kind, seen.arguments, node, seen.at)
        yield from self._program(seen.arguments, node)

    def _step(self, step: Step, action: Node) -> Iterator[Problem]:
        if step.when:
            yield from self._expression(step.when)
        yield from self._expression(step.ensure)
        if step.do:
            yield from self._action(step.do, action)

    def _action(self, action: Action, node: Node) -> Iterator[Problem]:
        if action.kind not in ACTIONS:
            hint = did_you_mean(action.kind, ACTIONS)
            yield Problem(action.at, f"there is no action {action.kind!r}{hint}")
            return
        kind = ACTIONS[action.kind]
        inner = node if action.kind == "command" else node.find([action.kind])
        for place, text in texts(action.arguments):
            yield from self._template(text, set(self.samples), inner)
            secrets = self.secrets & template.references(text)
            if secrets and place not in kind.takes_secret:
                where = " or ".join(kind.takes_secret) or "no argument"
                yield Problem(
                    place_of(inner, text),
                    f"{', '.join(sorted(secrets))} is secret and may stand in {where} of "
                    f"{action.kind} only, not in {place}",
                )
        yield from misfits(kind.arguments, action.arguments, self.samples, inner)
        yield from wrong_texts(kind.arguments, action.arguments, inner, inner.at)
        yield from self._program(action.arguments, inner)

    def _program(self, arguments: Mapping[str, Any], node: Node) -> Iterator[Problem]:
        argv, rest = arguments.get("argv"), [text for _, text in texts(arguments)]
        program = argv[0] if isinstance(argv, list) and argv else None
        if isinstance(program, str):
            rest.remove(program)
            if not self._is_program(program):
                message = "the program must be an absolute path without ${…} or .., or a parameter "
                yield Problem(place_of(node, program), f"{message}of type command: {program!r}")
        for text in rest:
            if names := self.commands & template.references(text):
                message = f"{', '.join(sorted(names))} is a command and may only stand, alone, "
                yield Problem(place_of(node, text), message + "at the head of a `command`")

    def _is_program(self, text: str) -> bool:
        if template.is_reference(text):
            return template.references(text) <= self.commands
        return is_plain_path(text) and "${" not in text

    def _template(self, text: str, names: set[str], node: Node) -> Iterator[Problem]:
        if complaint := template.check(text, names):
            yield Problem(place_of(node, text), complaint)

    def _expression(self, expression: Expression, check: _Check | None = None) -> Iterator[Problem]:
        if problem := self._unknown_name(expression):
            yield problem
            return
        try:
            compiled = self.vocabulary.compile(expression)
        except ExpressionError as error:
            yield self._explained(expression, error)
            return
        yield from (check or self._condition)(compiled)

    def _condition(self, compiled: Compiled) -> Iterator[Problem]:
        expression = compiled.expression
        if not compiled.is_boolean:
            yield Problem(expression.at, "must be true or false (a boolean expression)")
        yield from self._missing_guards(expression)

    def _reportable(self, compiled: Compiled) -> Iterator[Problem]:
        if not compiled.is_reportable:
            message = "must be a text, a number, a time or true or false"
            yield Problem(compiled.expression.at, message)

    def _tell(self) -> Iterator[Problem]:
        report = self.runbook.report or {}
        for index, name in enumerate(self.runbook.tell):
            if name in report:
                yield from self._expression(report[name], self._text)
            else:
                message = f"report has no {name!r} to tell{did_you_mean(name, report)}"
                yield Problem(self.root.find(["tell", index]).at, message)

    def _text(self, compiled: Compiled) -> Iterator[Problem]:
        if not compiled.is_text:
            yield Problem(compiled.expression.at, "must be a text, since `tell` names it")

    def _explained(self, expression: Expression, error: ExpressionError) -> Problem:
        message = str(error)
        if found := _UNDECLARED.search(message):
            owners = {name.split(".")[0] for name in self.vocabulary.names}
            hint = did_you_mean(found[1].split(".")[0], owners)
            return Problem(self._find(expression, found[1]), message + hint)
        offset = offset_of(expression.source, error.line, error.column)
        return Problem(place_in_yaml(self.runbook.source, expression, offset), message)

    def _unknown_name(self, expression: Expression) -> Problem | None:
        for name in sorted(expression.names()):
            at = self._find(expression, name)
            if name in self.secrets:
                return Problem(at, f"{name} is secret; expressions can't see it")
            owner = name.split(".")[0]
            known = [n for n in self.vocabulary.names if n.startswith(f"{owner}.")]
            is_known = any(name == n or name.startswith(f"{n}.") for n in known)
            if known and "." in name and not is_known:
                fields = [n.partition(".")[2] for n in known]
                hint = did_you_mean(name.partition(".")[2], fields)
                return Problem(at, f"{owner} has no {name.partition('.')[2]!r}{hint}")
        return None

    def _missing_guards(self, expression: Expression) -> Iterable[Problem]:
        names = expression.names()
        for name in sorted(names):
            field = ".".join(name.split(".")[:2])
            guard = self.guards.get(field)
            if guard and guard not in names:
                at = self._find(expression, name)
                yield Problem(at, f"{field} is there only if {guard}; write `{guard} && …`")

    def _find(self, expression: Expression, name: str) -> Position:
        offsets = {
            f"{found}.": offset for found, offset in reversed(list(expression.places()))
        }  # of each name's first appearance
        starts = [offset for found, offset in offsets.items() if found.startswith(f"{name}.")]
        return place_in_yaml(self.runbook.source, expression, min(starts, default=0))
