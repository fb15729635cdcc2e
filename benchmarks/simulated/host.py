"""One simulated host: the real gate, keys and messages; what it does and keeps is made up.

Real: its admission and keyring, the verification of every letter by `worker.gate`, the host's
policy, signed reports, each repeated until its signed acknowledgement came, and a signed receipt
for an order that comes again; one for a run that is over at once no host sends.
Simulated: the ledger (in memory, no fsync), the steps (each is told to be `ok`), the mailboxes
between courier and executor. The runbook is parsed once for all hosts of a process.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.names import PRESENCE_TASK, RECORD_TASK
from contract.order import letter_digest, sign_message
from contract.outcome import HostRunState, StepOutcome, state_of
from contract.presence import PresenceWord, encode_word
from contract.report import PassReport, Receipt, Report, StepReport
from worker.gate import Gate
from worker.membership import Membership
from worker.policy import Policy
from worker.short_report import short_payload
from worker.verdict import Accepted, Acknowledged, Refused, Repeated

VERSION = "simulated"
_FIRST_AGAIN_S, _LAST_AGAIN_S = 5.0, 300.0  # the courier's own

Message = tuple[str, bytes]  # the task's name, and the text


@dataclass(frozen=True)
class Identity:
    """What makes a host this host."""

    sign: SigningKey
    seal: SealKey
    membership: Membership


@dataclass
class Memory:
    """A ledger that forgets everything with its process."""

    created_at: int = field(default_factory=lambda: now_ms() - 60_000)
    floor: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def digest_of(self, run_id: str) -> str | None:
        """Return the digest of an order that was accepted."""
        return self.digests.get(run_id)

    def cancelled_digest(self, _run_id: str) -> str | None:
        """Return nothing: nobody cancels here."""
        return None


@dataclass
class _Kept:
    """A report that is not acknowledged."""

    letter: bytes
    at: float
    pause_s: float = _FIRST_AGAIN_S


class SimulatedHost:
    """Answers letters as a host does."""

    def __init__(self, identity: Identity, policy: Policy) -> None:
        """Be this host, with a policy that hosts may share."""
        self._key = identity.sign
        self._gate = Gate(identity.membership, policy, identity.seal)
        self._memory = Memory()
        self._kept: dict[str, _Kept] = {}
        self.refused = 0

    @property
    def name(self) -> str:
        """Return the host's name."""
        return self._gate.membership.host

    def presence(self, nonce: str) -> Message:
        """Answer the question whether it is there, as its courier does."""
        word = PresenceWord(
            host=self.name, nonce=nonce, at=now_ms(), worker=VERSION, inbox=0, outbox=0, taking=True
        )
        return PRESENCE_TASK, encode_word(word)

    def take(self, letter: bytes) -> Iterator[Message]:
        """Judge a letter and yield what the host answers."""
        now = now_ms()
        try:
            verdict = self._gate.judge(letter, now, self._memory)
        except Refused:
            self.refused += 1
            return
        match verdict:
            case Acknowledged(digests):
                for digest in digests:
                    self._kept.pop(digest, None)
            case Accepted():
                yield from self._carry_out(verdict, now)
            case Repeated(run_id):
                digest = self._memory.digests[run_id]
                yield RECORD_TASK, self._receipt(run_id, digest)

    def again(self) -> Iterator[Message]:
        """Yield the reports whose acknowledgement is overdue."""
        now = time.monotonic()
        for kept in self._kept.values():
            if kept.at <= now:
                kept.at = now + kept.pause_s
                kept.pause_s = min(2 * kept.pause_s, _LAST_AGAIN_S)
                yield RECORD_TASK, kept.letter

    def _carry_out(self, accepted: Accepted, now: int) -> Iterator[Message]:
        order = accepted.order
        self._memory.digests[order.run_id] = accepted.digest
        report = self.report(accepted, now)
        self._kept[letter_digest(report)] = _Kept(report, time.monotonic() + _FIRST_AGAIN_S)
        yield RECORD_TASK, report

    def report(self, accepted: Accepted, now: int) -> bytes:
        """Return the letter that says that every step was found as it must be."""
        steps = [StepReport(name=s.name, outcome=StepOutcome.OK) for s in accepted.runbook.steps]
        report = Report(
            **self._sender,
            run_id=accepted.order.run_id,
            order_sha256=accepted.digest,
            counter=len(self._memory.digests),
            state=state_of(StepOutcome.OK),
            outcome=StepOutcome.OK,
            check=accepted.order.check,
            accepted_at=now,
            started_at=now,
            ended_at=now,
            passes=[PassReport(steps=steps)],
            worker=VERSION,
        )
        return sign(PayloadType.REPORT, short_payload(report), [self._key])

    def _receipt(self, run_id: str, digest: str) -> bytes:
        receipt = Receipt(
            **self._sender,
            run_id=run_id,
            order_sha256=digest,
            state=HostRunState.RUNNING,
            at=now_ms(),
        )
        return sign_message(PayloadType.RECEIPT, receipt, self._key)

    @property
    def _sender(self) -> dict[str, Any]:
        ours = self._gate.membership
        return {"host": ours.host, "epoch": ours.epoch, "keyring": ours.keyring.version}
