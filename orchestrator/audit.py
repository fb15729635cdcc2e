"""The audit's first floor: every stored letter verifies still, and none is missing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.envelope import EnvelopeError, verify
from contract.key import VerifyKey
from contract.order import (
    Acknowledgement,
    Cancel,
    Message,
    MessageError,
    Order,
    Ping,
    decode,
    letter_digest,
)
from contract.report import Pong, Receipt, Refusal, Report
from contract.trust import Role, Trust
from orchestrator.store.record import Kind, StoredEnvelope
from orchestrator.store.store import Store

_MESSAGES: dict[Kind, type[Message]] = {
    Kind.ORDER: Order,
    Kind.CANCEL: Cancel,
    Kind.PING: Ping,
    Kind.ACKNOWLEDGEMENT: Acknowledgement,
    Kind.RECEIPT: Receipt,
    Kind.REPORT: Report,
    Kind.REFUSAL: Refusal,
    Kind.PONG: Pong,
}
_ROLES: dict[Kind, frozenset[Role]] = {
    Kind.ORDER: frozenset({Role.OPERATOR, Role.SCHEDULER}),
    Kind.CANCEL: frozenset({Role.OPERATOR}),
    Kind.PING: frozenset({Role.OPERATOR, Role.SCHEDULER}),
    Kind.ACKNOWLEDGEMENT: frozenset({Role.RECORDER}),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the store."""

    seq: int  # 0: the letter is not there at all
    kind: Kind
    host: str
    run_id: str | None
    digest: str
    problem: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What verifying the whole store came to."""

    checked: int
    findings: tuple[Finding, ...]
    counts: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class _Signer:
    """Whose a key is: the orchestrator's in a role, or a host's."""

    key: VerifyKey
    name: str
    role: Role | None  # None: a host


def verify_all(store: Store, trust: Trust) -> Audit:
    """Verify every stored letter again, and look for orders and cancels that are missing."""
    signers = _signers(store, trust)
    counts: Counter[Kind] = Counter()
    findings: list[Finding] = []
    for letter in store.envelopes.walk():
        counts[letter.kind] += 1
        if problem := _problem(letter, signers):
            findings.append(
                Finding(letter.seq, letter.kind, letter.host, letter.run_id, letter.digest, problem)
            )
    findings += _missing(store)
    return Audit(counts.total(), tuple(findings), dict(counts))


def _signers(store: Store, trust: Trust) -> dict[str, _Signer]:
    signers = {
        key_id: _Signer(trusted.verify_key(), trusted.name, trusted.role)
        for key_id, trusted in trust.by_id().items()
    }
    for known in store.hosts.signing_keys():
        signers[known.key_id] = _Signer(VerifyKey(known.sign_key), known.host, None)
    return signers


def _problem(letter: StoredEnvelope, signers: Mapping[str, _Signer]) -> str:
    if letter_digest(letter.data) != letter.digest:
        return "its bytes are not those that its digest names"
    keys = {key_id: signer.key for key_id, signer in signers.items()}
    try:
        verified = verify(letter.data, keys, frozenset({letter.kind.payload_type}))
        message = decode(verified.payload, _MESSAGES[letter.kind])
    except (EnvelopeError, MessageError) as error:
        return str(error)
    if message.host != letter.host:
        return f"it is filed under {letter.host!r}, but is about {message.host!r}"
    if not _fits_run(letter, message):
        return f"it is filed under the run {letter.run_id}, but is about another one"
    complaints = [_complaint(letter, message, signers[key_id]) for key_id in verified.key_ids]
    return next(filter(None, complaints), "")


def _fits_run(letter: StoredEnvelope, message: Any) -> bool:
    named = getattr(message, "run_id", None)
    return named is None or named == letter.run_id


def _complaint(letter: StoredEnvelope, message: Any, signer: _Signer) -> str:
    roles = _ROLES.get(letter.kind)
    if roles is None:
        is_own = signer.role is None and signer.name == letter.host
        return "" if is_own else f"{signer.name!r} signed it, not the host {letter.host!r}"
    if signer.role not in roles:
        return f"{signer.name!r} signed it, who may not sign a letter of this kind"
    operator = getattr(message, "operator", signer.name)
    return "" if operator == signer.name else f"{signer.name!r} signed it for {operator!r}"


def _missing(store: Store) -> list[Finding]:
    return [
        Finding(0, kind, host, run_id, digest, "its letter is not in the store")
        for kind in (Kind.ORDER, Kind.CANCEL)
        for run_id, host, digest in store.envelopes.missing(kind)
    ]
