"""Which certificates are meant, and in which order: a condition in CEL, and a column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.certificate import CertificateVerdict
from contract.document import Position
from contract.error import DenreiError
from contract.expression import Expression, ExpressionError, ValueType, Vocabulary
from contract.instant import to_datetime
from contract.parameter import did_you_mean
from orchestrator.certificate import FIELDS, Certificate

MAX_CHARACTERS = 4000

_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_COMPARED = re.compile(r"""\bverdict\s*[!=]=\s*(["'])(.*?)\1""")
_GRAVEST_FIRST = {verdict.value: at for at, verdict in enumerate(reversed(CertificateVerdict))}


class ConditionError(DenreiError):
    """A condition is no CEL over the fields of a certificate."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The certificates that a condition holds for, and those that it gave an error for."""

    certificates: list[Certificate] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Condition:
    """A boolean expression over the fields of a certificate, and `now`."""

    def __init__(self, source: str) -> None:
        """Compile and type-check it. Raises ConditionError with its place and a hint."""
        if len(source) > MAX_CHARACTERS:
            raise ConditionError(f"longer than {MAX_CHARACTERS} characters")
        expression = Expression(source, Position(1, 1))
        try:
            self._compiled = Vocabulary({**FIELDS, "now": ValueType.TIMESTAMP}).compile(expression)
        except ExpressionError as error:
            raise ConditionError(f"{error.line}:{error.column}: {_with_hint(error)}") from None
        if not self._compiled.is_boolean:
            raise ConditionError("it gives a value that is not true or false; compare it")
        _check_verdicts(source)
        self._names = {name.split(".")[0] for name in expression.names()} & set(FIELDS)

    def choose(self, certificates: Sequence[Certificate]) -> Chosen:
        """Return those that it holds for; where a value it asks for is not known, it does not."""
        chosen = Chosen()
        for certificate in certificates:
            values = {**certificate.values, "now": to_datetime(certificate.now)}
            try:
                if self._compiled.holds(values):
                    chosen.certificates.append(certificate)
            except ExpressionError as error:
                if self._names <= set(values):
                    chosen.errors.append(f"{certificate.record.host}: {error}")
        return chosen


def check_column(name: str) -> str:
    """Return the name of a field to sort by. Raises ConditionError."""
    if name not in FIELDS:
        raise ConditionError(f"there is no column {name!r}{did_you_mean(name, FIELDS)}")
    return name


def arrange(
    certificates: Sequence[Certificate], column: str, *, reverse: bool = False
) -> list[Certificate]:
    """Return them by a column, those without a value in it last; verdicts by their gravity."""
    by_name = sorted(certificates, key=lambda each: (each.record.host, each.name))
    known = [each for each in by_name if each.values.get(column) not in (None, "", [])]
    without = [each for each in by_name if each.values.get(column) in (None, "", [])]
    return sorted(known, key=lambda each: _rank(each, column), reverse=reverse) + without


def _rank(certificate: Certificate, column: str) -> Any:
    if column == "verdict":
        return _GRAVEST_FIRST[certificate.verdict.value]
    return certificate.values[column]


def _with_hint(error: ExpressionError) -> str:
    found = _UNDECLARED.search(str(error))
    if found is None:
        return str(error)
    name = found[1].split(".")[0]
    return f"there is no field {name!r}{did_you_mean(name, [*FIELDS, 'now'])}"


def _check_verdicts(source: str) -> None:
    """Find the misspelt verdict: a condition that can't hold looks like good news."""
    known = [verdict.value for verdict in CertificateVerdict]
    for compared in _COMPARED.finditer(source):
        if compared[2] not in known:
            hint = did_you_mean(compared[2], known)
            raise ConditionError(f"there is no verdict {compared[2]!r}{hint}")
