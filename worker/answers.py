"""What the executor sends: signed by the host's key, put into the outbox."""

import msgspec
import structlog

from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.key import SigningKey
from contract.order import Nonce, letter_digest, sign_message
from contract.outcome import HostRunState
from contract.report import Pong, Receipt, Refusal, Report
from worker import worker_version
from worker.mailbox import Care, Mailbox, MailboxError
from worker.short_report import short_payload
from worker.verdict import Refused

_log = structlog.get_logger(__name__)


class Answers:
    """Signs and posts what this host has to say."""

    def __init__(self, host: str, key: SigningKey, outbox: Mailbox) -> None:
        """Speak as `host` with its key."""
        self._host = host
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
            host=self._host,
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
            host=self._host,
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
            host=self._host, nonce=nonce, at=now_ms(), waiting=waiting, worker=worker_version()
        )
        self._post(PayloadType.PONG, pong)

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
