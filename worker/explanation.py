"""What a policy says to one order or one runbook, rule by rule, without carrying anything out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from contract.envelope import EnvelopeError, peek
from contract.error import DenreiError
from contract.loader import load_runbook
from contract.order import PROTOCOL, MessageError, Order, decode
from contract.parameter import ParameterError, bind, did_you_mean
from contract.reach import reach
from contract.runbook import Runbook
from worker.policy import Policy, Request, Ruling

_SAMPLE_RUN = "00000000000000000000000000"
_SAMPLE_SECRET = "secret"  # noqa: S105 - no rule sees a secret


class ExplanationError(DenreiError):
    """What is to be explained can't be read: neither an order nor a runbook."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained."""

    subject: str  # a file with an order or a runbook, or a shipped runbook's name
    roles: frozenset[str]
    persons: int
    params: Mapping[str, str]
    moment: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the policy says, and to what."""

    request: Request
    rulings: tuple[Ruling, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether every rule allows it."""
        return all(ruling.allowed for ruling in self.rulings)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What of an order is neither its runbook nor its parameters."""

    protocol: int
    run_id: str
    host: str


def explain(policy: Policy, asked: Asked) -> Explanation:
    """Ask every rule of a policy. Raises ExplanationError, DocumentError, ParameterError."""
    data, file = _read(asked.subject)
    request = _of_order(data, asked) if data.lstrip()[:1] == b"{" else _of_text(data, file, asked)
    return Explanation(request, tuple(policy.rulings(request)))


def _read(subject: str) -> tuple[bytes, str]:
    shipped = resources.files("runbooks").joinpath(f"{subject}.yaml")
    if not Path(subject).exists() and shipped.is_file():
        return shipped.read_bytes(), f"{subject}.yaml"
    try:
        return Path(subject).read_bytes(), subject
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ExplanationError(
            f"{subject} is no shipped runbook, and as a file it can't be read: {why}"
        ) from None


def _of_text(data: bytes, file: str, asked: Asked) -> Request:
    runbook = load_runbook(data, file)
    declared = {parameter.name: parameter for parameter in runbook.parameters}
    for name in asked.params:
        if name not in declared:
            raise ParameterError(f"unknown parameter {name!r}{did_you_mean(name, declared)}")
    given = {name: declared[name].parse(text) for name, text in asked.params.items()}
    return _request(runbook, given, asked, _Frame(PROTOCOL, _SAMPLE_RUN, "this host"))


def _of_order(data: bytes, asked: Asked) -> Request:
    """Read an order, whose signatures are not looked at: the gate does that."""
    try:
        order = decode(peek(data)[1], Order)
        runbook = load_runbook(order.runbook_yaml.encode(), f"{order.runbook}.yaml")
    except (EnvelopeError, MessageError) as error:
        raise ExplanationError(f"{asked.subject} is no order: {error}") from None
    if asked.params:
        raise ExplanationError("an order has its own parameters; leave out -p")
    if sha256(order.runbook_yaml.encode()).hexdigest() != order.runbook_sha256:
        raise ExplanationError(f"{asked.subject}: the runbook is not the one that it names")
    return _request(runbook, order.params, asked, _Frame(order.v, order.run_id, order.host))


def _request(runbook: Runbook, given: Mapping[str, Any], asked: Asked, order: _Frame) -> Request:
    secrets = {p.name: _SAMPLE_SECRET for p in runbook.parameters if p.secret}
    declared = [replace(p, pattern="") if p.secret else p for p in runbook.parameters]
    bound = bind(declared, {**given, **secrets}, runbook.profiles)
    texts = {"run.id": order.run_id, "run.host": order.host} | runbook.texts(bound)
    return Request(
        runbook=runbook,
        reach=reach(runbook, texts),
        protocol=order.protocol,
        roles=asked.roles,
        persons=asked.persons,
        moment=asked.moment,
    )
