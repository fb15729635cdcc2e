"""The audit's first floor: every stored letter verifies still, and none is missing.

Of reports that is known by their acknowledgements: what was signed for those that were stored
together fits no others, and no fewer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.envelope import EnvelopeError, Head, verify
from contract.key import VerifyKey
from contract.keyring import Duty, Keyring, Right, Service
from contract.order import (
    Cancel,
    Message,
    MessageError,
    Order,
    Ping,
    decode,
    letter_digest,
)
from contract.report import Footing, Pong, Receipt, Refusal, Report
from contract.signatory import Signatories
from orchestrator.coverage import Coverage
from orchestrator.store.record import Kind, StoredEnvelope
from orchestrator.store.store import Store

_MESSAGES: dict[Kind, type[Message | Head]] = {
    Kind.ORDER: Order,
    Kind.CANCEL: Cancel,
    Kind.PING: Ping,
    Kind.ACKNOWLEDGEMENTS: Head,
    Kind.RECEIPT: Receipt,
    Kind.REPORT: Report,
    Kind.REFUSAL: Refusal,
    Kind.PONG: Pong,
    Kind.FOOTING: Footing,
}
_RIGHTS: dict[Kind, Right] = {
    Kind.ORDER: Right.ORDER,
    Kind.CANCEL: Right.CANCEL,
    Kind.PING: Right.PING,
}
_DUTIES: dict[Kind, Duty] = {
    Kind.ORDER: Duty.SCHEDULER,
    Kind.ACKNOWLEDGEMENTS: Duty.RECORDER,
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
    """Whose a key is: a person's or a service's by some keyring, or a host's."""

    key: VerifyKey
    name: str
    rights: frozenset[Right] = frozenset()
    duty: Duty | None = None
    is_host: bool = False


def verify_all(store: Store) -> Audit:
    """Verify every stored letter again, and look for orders and cancels that are missing."""
    signers = _signers(store)
    counts: Counter[Kind] = Counter()
    findings: list[Finding] = []
    coverage = Coverage()
    for letter in store.envelopes.walk():
        counts[letter.kind] += 1
        beside = coverage.take(letter)
        if problem := _problem(letter, signers) or beside:
            findings.append(_finding(letter, problem))
    findings += [_finding(letter, problem) for letter, problem in coverage.left()]
    findings += _missing(store)
    return Audit(counts.total(), tuple(findings), dict(counts))


def _finding(letter: StoredEnvelope, problem: str) -> Finding:
    return Finding(letter.seq, letter.kind, letter.host, letter.run_id, letter.digest, problem)


def _signers(store: Store) -> dict[str, _Signer]:
    """Return everybody who could ever sign; what they may, the last keyring says that has them."""
    signers: dict[str, _Signer] = {}
    for keyring in store.keyrings.all():
        signers |= dict(_of_keyring(keyring))
    for known in store.hosts.signing_keys():
        signers[known.key_id] = _Signer(VerifyKey(known.sign_key), known.host, is_host=True)
    return signers


def _of_keyring(keyring: Keyring) -> Iterator[tuple[str, _Signer]]:
    for key_id, known in Signatories(keyring).items():
        rights = frozenset(right for role in known.roles for right in role.rights)
        duty = known.owner.duty if isinstance(known.owner, Service) else None
        yield key_id, _Signer(VerifyKey(known.window.key), known.name, rights, duty)


def _problem(letter: StoredEnvelope, signers: Mapping[str, _Signer]) -> str:
    if letter_digest(letter.data) != letter.digest:
        return "its bytes are not those that its digest names"
    keys = {key_id: signer.key for key_id, signer in signers.items()}
    try:
        verified = verify(letter.data, keys, frozenset({letter.kind.payload_type}))
        message = decode(verified.payload, _MESSAGES[letter.kind])
    except (EnvelopeError, MessageError) as error:
        return str(error)
    about = "" if isinstance(message, Head) else message.host
    if about != letter.host:
        return f"it is filed under {letter.host!r}, but is about {about!r}"
    if not _fits_run(letter, message):
        return f"it is filed under the run {letter.run_id}, but is about another one"
    return _complaint(letter, message, [signers[key_id] for key_id in verified.key_ids])


def _fits_run(letter: StoredEnvelope, message: Any) -> bool:
    named = getattr(message, "run_id", None)
    return named is None or named == letter.run_id


def _complaint(letter: StoredEnvelope, message: Any, signers: list[_Signer]) -> str:
    names = ", ".join(repr(signer.name) for signer in signers)
    if letter.kind not in _RIGHTS and letter.kind not in _DUTIES:
        is_own = all(signer.is_host and signer.name == letter.host for signer in signers)
        return "" if is_own else f"{names} signed it, not the host {letter.host!r}"
    if not any(_may_sign(letter.kind, signer) for signer in signers):
        return f"{names} signed it, who may not sign a letter of this kind"
    operator = getattr(message, "operator", signers[0].name)
    named = any(signer.name == operator for signer in signers)
    return "" if named else f"{names} signed it for {operator!r}"


def _may_sign(kind: Kind, signer: _Signer) -> bool:
    by_right = kind in _RIGHTS and _RIGHTS[kind] in signer.rights
    return by_right or (signer.duty is not None and signer.duty is _DUTIES.get(kind))


def _missing(store: Store) -> list[Finding]:
    return [
        Finding(0, kind, host, run_id, digest, "its letter is not in the store")
        for kind in (Kind.ORDER, Kind.CANCEL)
        for run_id, host, digest in store.envelopes.missing(kind)
    ]
