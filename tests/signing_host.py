"""A host as the orchestrator knows it: a name, two keys, and letters signed with one of them."""

from dataclasses import dataclass, field
from typing import Any

from contract.envelope import PayloadType, peek, verify
from contract.instant import now_ms
from contract.key import SealKey, Signer, SigningKey
from contract.order import Order, decode, letter_digest, sign_message
from contract.outcome import HostRunState, StepOutcome, state_of
from contract.report import Footing, PassReport, Pong, Receipt, Refusal, Report, StepReport
from orchestrator.inventory import Applicant


@dataclass(frozen=True)
class SigningHost:
    """Signs what a worker would sign; runs nothing."""

    name: str
    key: Signer = field(default_factory=SigningKey.generate)
    seal_key: SealKey = field(default_factory=SealKey.generate)
    epoch: int = 1

    @property
    def sender(self) -> dict[str, Any]:
        return {"host": self.name, "epoch": self.epoch, "keyring": 1}

    def applicant(self, **labels: str) -> Applicant:
        """Ask to be a member, as this epoch."""
        sign, seal = self.key.public.text, self.seal_key.public.text
        return Applicant(self.name, self.epoch, sign, seal, labels)

    def read_order(self, letter: bytes) -> Order:
        """Read an order without asking who signed it."""
        return decode(peek(letter)[1], Order)

    def receipt(
        self,
        order: bytes,
        state: HostRunState,
        at: int | None = None,
        *,
        cancel: bytes = b"",
    ) -> bytes:
        message = Receipt(
            **self.sender,
            run_id=self.read_order(order).run_id,
            order_sha256=letter_digest(order),
            state=state,
            cancel_sha256=letter_digest(cancel) if cancel else None,
            at=at if at is not None else now_ms(),
        )
        return sign_message(PayloadType.RECEIPT, message, self.key)

    def report(self, order: bytes, outcome: StepOutcome = StepOutcome.OK, **changes: Any) -> bytes:
        now = now_ms()
        values: dict[str, Any] = {
            **self.sender,
            "run_id": self.read_order(order).run_id,
            "order_sha256": letter_digest(order),
            "counter": 1,
            "state": state_of(outcome),
            "outcome": outcome,
            "check": False,
            "accepted_at": now,
            "started_at": now,
            "ended_at": now,
            "passes": [PassReport(steps=[StepReport(name="a step", outcome=outcome)])],
        }
        return sign_message(PayloadType.REPORT, Report(**{**values, **changes}), self.key)

    def refusal(self, letter: bytes, reason: str, run_id: str | None = None) -> bytes:
        message = Refusal(
            **self.sender,
            run_id=run_id,
            letter_sha256=letter_digest(letter),
            reason=reason,
            detail="no",
            at=now_ms(),
        )
        return sign_message(PayloadType.REFUSAL, message, self.key)

    def footing(self, admission_at: int = 1) -> bytes:
        """Say what it goes by."""
        message = Footing(**self.sender, admission_at=admission_at, at=now_ms())
        return sign_message(PayloadType.FOOTING, message, self.key)

    def pong(self, nonce: str) -> bytes:
        message = Pong(**self.sender, nonce=nonce, at=now_ms(), waiting=2, worker="1.2.3")
        return sign_message(PayloadType.PONG, message, self.key)


def payload_of(letter: bytes, key: Signer, payload_type: PayloadType) -> bytes:
    """Return a letter's payload if this key signed it."""
    public = key.public
    return verify(letter, {public.id: public}, frozenset({payload_type})).payload
