"""How one pass sees its host: observations made when first needed, expressions over them."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from contract.arguments import fill
from contract.duration import parse_duration, show_duration
from contract.error import DenreiError
from contract.expression import Compiled, Expression, ExpressionError, Value
from contract.instant import show_instant
from contract.lint import vocabulary
from contract.observation import OBSERVATIONS
from contract.runbook import Observation, Runbook
from worker.observations.observation import CertificateFields, Fields
from worker.observations.table import PROBES, SPARING, TELLS_OF_CERTIFICATES
from worker.proc import boot_clock
from worker.root import Root

MAX_TEXT = 500  # characters of one value in a report
MAX_LIST = 100  # values of one list in a report
_REMEMBERED = 8  # lexicons, as many as runbooks are remembered
LAST_LOOK = timedelta(seconds=1)  # what an observation may take though the run's time is over


class UndecidedError(DenreiError):
    """Nobody can tell whether an expression holds; the message says why."""


class Lexicon:
    """The compiled expressions of one runbook, shared by its passes."""

    def __init__(self, runbook: Runbook) -> None:
        """Declare the runbook's names; expressions are compiled when first asked for."""
        self._vocabulary = vocabulary(runbook)
        self._asked = _asked(runbook)
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, expression: Expression) -> Compiled:
        """Return the compiled expression. Raises ExpressionError."""
        if expression.source not in self._compiled:
            self._compiled[expression.source] = self._vocabulary.compile(expression)
        return self._compiled[expression.source]

    def asked(self, observation: str) -> frozenset[str]:
        """Return the fields of an observation that any expression of the runbook speaks of."""
        return self._asked.get(observation, frozenset())


def _asked(runbook: Runbook) -> Mapping[str, frozenset[str]]:
    asked: dict[str, set[str]] = {}
    for expression in runbook.expressions():
        for owner, _, rest in (name.partition(".") for name in expression.names()):
            asked.setdefault(owner, set()).add(rest.partition(".")[0])
    return {owner: frozenset(fields) for owner, fields in asked.items()}


@dataclass(frozen=True, slots=True)
class _Source:
    """A runbook, known by its digest."""

    digest: str
    runbook: Runbook = field(compare=False)


def lexicon_of(runbook: Runbook) -> Lexicon:
    """Return a runbook's lexicon: the same one if it came before, as most do."""
    return _lexicon(_Source(runbook.digest, runbook))


@lru_cache(maxsize=_REMEMBERED)
def _lexicon(source: _Source) -> Lexicon:
    return Lexicon(source.runbook)


class View:
    """The host as one pass of a runbook sees it."""

    def __init__(
        self,
        lexicon: Lexicon,
        observe: tuple[Observation, ...],
        root: Root,
        texts: Mapping[str, Any],
    ) -> None:
        """See through `root`; `texts` are the values of every `${…}`."""
        self._lexicon = lexicon
        self._observe = {seen.name: seen for seen in observe}
        self._root = root
        self._texts = texts
        self._filled: dict[str, msgspec.Struct] = {}  # by observation: the texts stay as they are
        self._seen: dict[str, dict[str, Value]] = {}
        self.values: dict[str, Value] = {}  # params, run and the item, by dotted name
        self.deadline = math.inf  # of the whole run, on the boot clock
        self.certificates: dict[str, CertificateFields] = {}  # the last look of each observation

    def forget(self) -> None:
        """Look anew from here on: something may have changed."""
        self._seen.clear()

    def see_certificates(self) -> None:
        """Look where the fleet learns of certificates, unless that was done since `forget`."""
        for observation in self._observe.values():
            if observation.kind in TELLS_OF_CERTIFICATES:
                with suppress(UndecidedError):  # then there is nothing to tell
                    self._observed(observation)

    def holds(self, expression: Expression) -> bool:
        """Tell whether an expression is true. Raises UndecidedError."""
        values = self._known(expression)
        try:
            return self._lexicon.compiled(expression).holds(values)
        except ExpressionError as error:
            raise UndecidedError(f"`{_line(expression)}`: {error}") from None

    def value(self, expression: Expression) -> Any:
        """Return an expression's value as JSON has it; None where something is not there."""
        try:
            return plain(self._lexicon.compiled(expression).value(self._known(expression)))
        except (ExpressionError, UndecidedError):
            return None

    def why_unknown(self, expression: Expression) -> str:
        """Return why nobody can tell what an expression speaks of; empty if that was seen."""
        try:
            self._known(expression)
        except UndecidedError as error:
            return str(error)
        return ""

    def evidence(self, expression: Expression) -> dict[str, Any]:
        """Return what was last observed of everything that an expression speaks of.

        Nothing is looked at for it: what was not needed, or could not be seen, is left out.
        """
        values = dict(self.values)
        for name, fields in self._seen.items():
            values |= {f"{name}.{field}": value for field, value in fields.items()}
        spoken = {".".join(name.split(".")[:2]) for name in expression.names()}
        return {name: plain(values[name]) for name in sorted(spoken) if name in values}

    def false_parts(self, expression: Expression) -> list[str]:
        """Return those parts of a conjunction that don't hold, for people to read."""
        parts = []
        for part in expression.conjuncts():
            try:
                if not self.holds(part):
                    parts.append(_line(part))
            except UndecidedError:
                continue  # not there because another part is false
        return parts or [_line(expression)]

    def _known(self, expression: Expression) -> dict[str, Value]:
        values = dict(self.values)
        values["now"] = datetime.now(UTC)
        wanted = {dotted.split(".")[0] for dotted in expression.names()}
        for name, observation in self._observe.items():  # in the runbook's order, always the same
            if name in wanted:
                fields = self._observed(observation)
                values |= {f"{name}.{field}": value for field, value in fields.items()}
        return values

    def _observed(self, observation: Observation) -> dict[str, Value]:
        if observation.name not in self._seen:
            self._seen[observation.name] = self._probe(observation)
        return self._seen[observation.name]

    def _probe(self, observation: Observation) -> dict[str, Value]:
        try:
            arguments = self._in_time(self._arguments(observation))
            fields = self._look(observation, arguments)
        except (DenreiError, msgspec.ValidationError, OSError, ValueError, OverflowError) as error:
            # The last three are for what no probe foresaw, such as a file from the year 30000.
            raise UndecidedError(f"can't observe {observation.name}: {error}") from None
        if isinstance(fields, CertificateFields):
            self.certificates[observation.name] = fields
        return {name: _readable(value) for name, value in fields.items()}

    def _look(self, observation: Observation, arguments: msgspec.Struct) -> Fields:
        probe = PROBES[observation.kind]
        if observation.kind in SPARING:
            return probe(arguments, self._root, self._lexicon.asked(observation.name))
        return probe(arguments, self._root)

    def _arguments(self, observation: Observation) -> msgspec.Struct:
        if observation.name not in self._filled:
            kind = OBSERVATIONS[observation.kind]
            filled = fill(kind.arguments, observation.arguments, self._texts)
            self._filled[observation.name] = filled
        return self._filled[observation.name]

    def _in_time(self, arguments: msgspec.Struct) -> msgspec.Struct:
        """Let an observation take no longer than the run has left."""
        timeout = getattr(arguments, "timeout", None)
        left = max(self.deadline - boot_clock(), LAST_LOOK.total_seconds())
        if timeout is None or parse_duration(timeout).total_seconds() <= left:
            return arguments
        return msgspec.structs.replace(arguments, timeout=f"{math.ceil(left * 1000)}ms")


def plain(value: Value) -> Any:
    """Return a value as JSON has it: times in RFC 3339, durations as people write them.

    It is not shortened yet: secrets must be taken out of the whole of it first.
    """
    if isinstance(value, datetime):
        return show_instant(value)
    if isinstance(value, timedelta):
        return show_duration(value)
    return value


def brief(tree: Any) -> Any:
    """Return JSON-like data with its long texts and lists cut."""
    if isinstance(tree, str):
        return tree if len(tree) <= MAX_TEXT else tree[:MAX_TEXT] + "…"
    if isinstance(tree, dict):
        return {name: brief(child) for name, child in tree.items()}
    if isinstance(tree, list):
        left_out = [f"… {len(tree) - MAX_LIST} more"] if len(tree) > MAX_LIST else []
        return [brief(child) for child in tree[:MAX_LIST]] + left_out
    return tree


def _readable(value: Value) -> Value:
    """Write out what is no UTF-8 in a file's name: neither CEL nor JSON could hold it."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [text.encode(errors="backslashreplace").decode() for text in value]
    return value


def _line(expression: Expression) -> str:
    return " ".join(expression.source.split())
