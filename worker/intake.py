"""Takes letters in: inbox -> gate -> ledger -> receipt. A letter is removed only afterwards."""

import contextlib
from pathlib import Path

import structlog

from contract.instant import now_ms
from contract.order import Cancel, letter_digest
from contract.outcome import HostRunState
from contract.whole_file import write_whole
from worker.answers import Answers
from worker.config import Config
from worker.gate import Gate
from worker.ledger import Entry, Ledger, Tombstone
from worker.ledger_file import LedgerError
from worker.mailbox import MAX_LETTERS, Mailbox, MailboxError
from worker.verdict import (
    Accepted,
    Acknowledged,
    Followed,
    Known,
    Pinged,
    Refused,
    Repeated,
    TakenBack,
)

# What a receipt calls the ledger's states; that a run has ended is for its report to tell.
_TOLD_AS = {
    None: HostRunState.CANCELLED,
    "accepted": HostRunState.DELIVERED,
    "running": HostRunState.RUNNING,
    "ended": HostRunState.RUNNING,
}

_log = structlog.get_logger(__name__)


class Intake:
    """Judges what lies in the inbox and writes down what is accepted."""

    def __init__(self, config: Config, gate: Gate, ledger: Ledger, answers: Answers) -> None:
        """Connect the gate with the ledger and the two boxes."""
        self._config = config
        self._gate = gate
        self._ledger = ledger
        self._inbox, self._outbox = Mailbox(config.inbox), Mailbox(config.outbox)
        self._answers = answers

    def take(self) -> bool:
        """Deal with every letter that is seen; tell whether none is left for later."""
        try:
            letters = self._inbox.letters()
            for path in letters:
                self._take_one(path)
        except (LedgerError, MailboxError) as error:
            _log.error("intake_failed", error=str(error))
            return False
        return len(letters) < MAX_LETTERS

    def _take_one(self, path: Path) -> None:
        try:
            letter = self._inbox.read(path)
            if letter is not None:
                self._deal_with(letter)
            path.unlink(missing_ok=True)
        except (LedgerError, MailboxError):
            raise
        except OSError as error:
            _log.error("letter_stuck", letter=path.name, error=str(error))
        except Exception:  # noqa: BLE001 - it would come again and again and bar all others
            _log.exception("letter_dropped", letter=path.name)
            with contextlib.suppress(OSError):
                path.unlink()

    def _deal_with(self, letter: bytes) -> None:
        try:
            verdict = self._gate.judge(letter, now_ms(), self._ledger)
        except Refused as refused:
            _log.warning("refused", reason=refused.reason, detail=refused.detail)
            self._answers.refusal(letter, refused)
            return
        match verdict:
            case Followed() | Known():
                self._follow(verdict)
            case Acknowledged(digests):
                self._acknowledge(digests)
            case Pinged(ping):
                self._answers.pong(ping.nonce, len(self._ledger.open_orders()))
            case _:
                self._write_down(verdict, letter)

    def _write_down(self, verdict: Accepted | Repeated | TakenBack, letter: bytes) -> None:
        match verdict:
            case Accepted():
                self._accept(verdict, letter)
            case Repeated(run_id):
                self._repeat(run_id)
            case TakenBack(cancel):
                self._cancel(cancel, letter)

    def _accept(self, accepted: Accepted, letter: bytes) -> None:
        order = accepted.order
        is_next = not self._ledger.open_orders()
        entry = Entry(
            run_id=order.run_id,
            digest=accepted.digest,
            letter=letter,
            accepted_at=now_ms(),
            started_at=None,
            boot_id=None,
            boot_time=None,
            interruptions=0,
        )
        self._ledger.accept(entry, order.issued_at, order.expires_at)
        _log.info("accepted", run=order.run_id, runbook=order.runbook, operator=order.operator)
        if not is_next:  # the next one begins at once: its receipt, or its report, says so
            self._answers.receipt(order.run_id, accepted.digest, HostRunState.DELIVERED)

    def _cancel(self, cancel: Cancel, letter: bytes) -> None:
        tombstone = Tombstone(
            run_id=cancel.run_id,
            digest=cancel.order_sha256,
            letter=letter,
            why=f"cancelled by {cancel.operator}" + (f": {cancel.reason}" if cancel.reason else ""),
            kill=cancel.kill,
            expires_at=cancel.order_expires_at,
            at=now_ms(),
        )
        state = self._ledger.cancel(tombstone, cancel.issued_at)
        _log.info("cancelled", run=cancel.run_id, operator=cancel.operator, found=state)
        told_as = _TOLD_AS[state]
        self._answers.receipt(cancel.run_id, cancel.order_sha256, told_as, letter_digest(letter))

    def _repeat(self, run_id: str) -> None:
        if digest := self._ledger.digest_of(run_id):
            state = _TOLD_AS[self._ledger.state_of(run_id)]
            self._answers.receipt(run_id, digest, state)

    def _follow(self, followed: Followed | Known) -> None:
        """Go by what came from now on; it is kept before that, and then never unlearnt."""
        if isinstance(followed, Known):
            self._answers.footing()
            return
        new = followed.membership
        if followed.admission_letter is None:
            write_whole(self._config.keyring, new.keyring_letter)
        else:
            write_whole(self._config.admission, followed.admission_letter)
        self._gate.follow(new)
        _log.info("followed", keyring=new.keyring.version, labels=dict(new.admission.labels))
        self._answers.footing()

    def _acknowledge(self, digests: tuple[str, ...]) -> None:
        for digest in digests:
            self._ledger.acknowledge(digest)
            # Also what was released before: an executor killed in between left the file behind.
            self._outbox.take_away(digest)
