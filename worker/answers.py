"""What the executor sends: signed by the host's key, put into the outbox."""

from collections.abc import Callable
from typing import TypedDict

import msgspec
import structlog

from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.key import SigningKey
from contract.order import Nonce, letter_digest, sign_message
from contract.outcome import HostRunState
from contract.report import Footing, Pong, Receipt, Refusal, Report
from contract.version import VERSION
from worker.mailbox import Care, Mailbox, MailboxError
from worker.membership import Membership
from worker.short_report import short_payload
from worker.verdict import Refused

_log = structlog.get_logger(__name__)


class Sender(TypedDict):
    """The members that tell who speaks."""

    host: str
    epoch: int
    keyring: int


class Answers:
    """Signs and posts what this host has to say."""

    def __init__(
        self, membership: Callable[[], Membership], key: SigningKey, outbox: Mailbox
    ) -> None:
        """Speak with the host's key, as what it is when it speaks."""
        self._membership = membership
        self._key = key
        self._outbox = outbox

    def receipt(
        self,
        run_id: str,
        order_digest: str,
        state: HostRunState,
        cancel_digest: str | None = None,
    ) -> None:
        """Say what the ledger holds of an order, perhaps in answer to a tombstone."""
        receipt = Receipt(
            **self.sender(),
            run_id=run_id,
            order_sha256=order_digest,
            state=state,
            cancel_sha256=cancel_digest,
            at=now_ms(),
        )
        self._post(PayloadType.RECEIPT, receipt)

    def refusal(self, letter: bytes, refused: Refused) -> None:
        """Say that a letter is refused, and why."""
        refusal = Refusal(
            **self.sender(),
            run_id=refused.run_id,
            letter_sha256=letter_digest(letter),
            reason=refused.reason,
            detail=refused.detail[:4000],
            at=now_ms(),
        )
        self._post(PayloadType.REFUSAL, refusal)

    def pong(self, nonce: Nonce, waiting: int) -> None:
        """Answer a ping."""
        pong = Pong(
            **self.sender(),
            nonce=nonce,
            at=now_ms(),
            waiting=waiting,
            worker=VERSION,
        )
        self._post(PayloadType.PONG, pong)

    def footing(self) -> None:
        """Say what this host goes by from now on."""
        self._post(
            PayloadType.FOOTING,
            Footing(
                **self.sender(),
                admission_at=self._membership().admission.issued_at,
                at=now_ms(),
            ),
        )

    def sender(self) -> Sender:
        """Return what every message of this host says of it."""
        ours = self._membership()
        return {"host": ours.host, "epoch": ours.epoch, "keyring": ours.keyring.version}

    def signed_report(self, report: Report) -> bytes:
        """Return the finished letter of a report, cut to what an envelope holds."""
        return sign(PayloadType.REPORT, short_payload(report), [self._key])

    def post_report(self, letter: bytes) -> bool:
        """Put a report's letter out, to be kept until acknowledged; tell whether that worked."""
        return self._put(letter, Care.KEEP)

    def _post(self, payload_type: PayloadType, message: msgspec.Struct) -> None:
        # A lost one of these is asked for again: the order comes anew until a receipt arrives.
        self._put(sign_message(payload_type, message, self._key), Care.ONCE)

    def _put(self, letter: bytes, care: Care) -> bool:
        try:
            self._outbox.put(letter, care)
        except MailboxError as error:
            _log.error("outbox_failed", error=str(error))
            return False
        return True
