"""Submission: a runbook and hosts become a run, sealed, signed and stored in one transaction."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contract.envelope import MAX_BYTES, PayloadType
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealPublicKey, Signer
from contract.order import MAX_LIFE_MS, Order, letter_digest, sign_message
from contract.outcome import HostRunState
from contract.parameter import Parameter, ParameterError, bind, did_you_mean
from contract.runbook import PEOPLE, Runbook
from contract.sealing import SealContext, seal
from orchestrator.run_id import new_run_id
from orchestrator.spool import Spool
from orchestrator.store.record import HostRun, Kind, NewEnvelope, Run, Via
from orchestrator.store.store import Store
from orchestrator.store.target_record import Target

DEFAULT_EXPIRY = timedelta(minutes=15)
_MAX_REASON = 2000


class SubmissionError(DenreiError):
    """A run can't be made of what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is asked for: which runbook, where, with what, by whom and why."""

    runbook: Runbook
    source: str  # where the runbook was found
    hosts: Sequence[Target]
    operator: str  # the name under which hosts trust the signing key
    params: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    check: bool = False
    reason: str = ""
    via: Via = Via.CLI
    expires_in: timedelta = DEFAULT_EXPIRY
    people: int | None = None  # how many must sign it before it is sent; None: as its risk says
    schedule: str | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """The key that signs, and the version of the keyring that it goes by."""

    key: Signer
    keyring: int


def parse_params(runbook: Runbook, texts: Mapping[str, str]) -> dict[str, Any]:
    """Read parameters as typed on a command line. Raises ParameterError."""
    declared = {parameter.name: parameter for parameter in runbook.parameters}
    return {name: _declared(declared, name).parse(text) for name, text in texts.items()}


def submit(submission: Submission, key: Signer, store: Store) -> Run:
    """Make the run and store it with every host's finished order; nothing is sent from here.

    The orders wait in a file until all are signed: memory holds a few of them, and nobody waits
    for the store while an ssh-agent signs.

    Raises ParameterError, SubmissionError, SealError, SpoolError, SlotTakenError; then nothing
    was stored.
    """
    now = now_ms()
    _check(submission)
    params = _bind(submission)
    run = _run(submission, params, now)
    signing = Signing(key, store.keyrings.newest_version())
    with Spool() as spool:
        for host in submission.hosts:
            spool.put(_order(submission, run, host, signing))
        store.runs.add(run, _shares(run, submission.hosts, spool))
    return run


def _declared(declared: Mapping[str, Parameter], name: str) -> Parameter:
    if name not in declared:
        raise ParameterError(f"unknown parameter {name!r}{did_you_mean(name, declared)}")
    if declared[name].secret:
        message = f"parameter {name} is secret; give it with --secret {name}=@FILE or env:NAME"
        raise ParameterError(message)
    return declared[name]


def _check(submission: Submission) -> None:
    if not submission.hosts:
        raise SubmissionError("a run needs at least one host")
    if len({host.name for host in submission.hosts}) != len(submission.hosts):
        raise SubmissionError("a host is named twice")
    if not 0 < submission.expires_in.total_seconds() * 1000 <= MAX_LIFE_MS:
        raise SubmissionError("an order expires after more than nothing and at most 7 days")
    for text in (submission.reason, *submission.params.values(), *submission.secrets.values()):
        if isinstance(text, str) and not _is_unicode(text):
            raise SubmissionError("a parameter or the reason is not valid UTF-8 text")
    if submission.via is Via.BEAT and not submission.runbook.unattended:
        message = f"{submission.runbook.name} is not marked `unattended: true`"
        raise SubmissionError(f"{message}; only people may start it")
    if len(submission.reason) > _MAX_REASON:
        raise SubmissionError(f"the reason is longer than {_MAX_REASON} characters")


def _is_unicode(text: str) -> bool:
    # Bytes on a command line that are no UTF-8 come as lone surrogates, which can't travel.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _bind(submission: Submission) -> dict[str, Any]:
    """Return the plain parameters, complete. Raises ParameterError, also for the secret ones."""
    declared = {parameter.name: parameter for parameter in submission.runbook.parameters}
    for name in submission.params:
        _declared(declared, name)
    for name in submission.secrets:
        if name in declared and not declared[name].secret:
            raise ParameterError(f"parameter {name} is not secret; give it with -p {name}=VALUE")
    given = {**submission.params, **submission.secrets}
    bound = bind(submission.runbook.parameters, given, submission.runbook.profiles)
    return {name: value for name, value in bound.items() if not declared[name].secret}


def _run(submission: Submission, params: Mapping[str, Any], now: int) -> Run:
    runbook = submission.runbook
    return Run(
        run_id=new_run_id(now),
        runbook=runbook.name,
        runbook_sha256=runbook.digest,
        source=submission.source,
        params=params,
        secrets=tuple(sorted(submission.secrets)),
        operator=submission.operator,
        via=submission.via,
        reason=submission.reason,
        check=submission.check,
        created_at=now,
        expires_at=now + round(submission.expires_in.total_seconds() * 1000),
        timeout_ms=round(runbook.timeout.total_seconds() * 1000),
        people=submission.people or PEOPLE[runbook.risk],
        schedule=submission.schedule,
        slot=submission.slot,
    )


def _order(submission: Submission, run: Run, host: Target, signing: Signing) -> bytes:
    order = Order(
        host=host.name,
        epoch=host.epoch,
        run_id=run.run_id,
        runbook=run.runbook,
        runbook_sha256=run.runbook_sha256,
        runbook_yaml=submission.runbook.source,
        params=dict(run.params),
        sealed_params=_seal(submission.secrets, run, host),
        check=run.check,
        operator=run.operator,
        via=run.via.value,
        reason=run.reason,
        issued_at=run.created_at,
        not_before=run.created_at,
        expires_at=run.expires_at,
        nonce=secrets.token_hex(16),
        keyring=signing.keyring,
    )
    data = sign_message(PayloadType.ORDER, order, signing.key)
    if len(data) > MAX_BYTES:
        message = f"the order would be larger than {MAX_BYTES // 1024} KiB; use shorter parameters"
        raise SubmissionError(message)
    return data


def _seal(values: Mapping[str, str], run: Run, host: Target) -> dict[str, str]:
    key = SealPublicKey(host.seal_key)
    return {name: seal(value, key, _context(run, host, name)) for name, value in values.items()}


def _context(run: Run, host: Target, parameter: str) -> SealContext:
    return SealContext(run.run_id, host.name, host.epoch, run.runbook_sha256, parameter)


def _shares(
    run: Run, hosts: Sequence[Target], orders: Spool
) -> Iterator[tuple[HostRun, NewEnvelope]]:
    for host, data in zip(hosts, orders.letters(), strict=True):
        order = NewEnvelope(
            kind=Kind.ORDER,
            host=host.name,
            run_id=run.run_id,
            digest=letter_digest(data),
            data=data,
            at=run.created_at,
        )
        share = HostRun(
            run_id=run.run_id,
            host=host.name,
            epoch=host.epoch,
            state=HostRunState.QUEUED,
            order_sha256=order.digest,
            expires_at=run.expires_at,
            awaits=run.people - 1,
            next_publish_at=run.created_at,
        )
        yield share, order
