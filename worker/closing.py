"""The end of a run: one signed report, in the ledger first and then in the outbox."""

import msgspec
import structlog

from contract.instant import now_ms
from contract.order import letter_digest
from contract.outcome import HostRunState, StepOutcome, state_of
from contract.report import Report
from contract.version import VERSION
from worker.answers import Answers
from worker.host_run import Result
from worker.housekeeping import Housekeeping
from worker.ledger import Entry, Ledger
from worker.verdict import Accepted, Reason, Refused

_LONGEST = 4000  # characters of a reason

_log = structlog.get_logger(__name__)


class Closing:
    """Ends runs: as they came out, refused at the last moment, or with nobody knowing how."""

    def __init__(self, ledger: Ledger, answers: Answers, housekeeping: Housekeeping) -> None:
        """Write down and say that runs have ended, and let the house be put in order after them."""
        self._ledger = ledger
        self._answers = answers
        self._housekeeping = housekeeping

    def end(self, entry: Entry, accepted: Accepted, result: Result) -> None:
        """End a run that was carried out, or taken back. Raises LedgerError."""
        tombstone = self._ledger.tombstone(entry.run_id)
        is_cancelled = result.outcome is StepOutcome.CANCELLED
        report = msgspec.structs.replace(
            self._report(entry, state_of(result.outcome)),
            outcome=result.outcome,
            reason=tombstone.why if tombstone and is_cancelled else "",
            check=accepted.order.check,
            passes=result.passes,
            notes=result.notes,
            certificates=result.seen.facts,
            certificates_complete=result.seen.complete,
        )
        self._post(entry, report)
        _log.info("run_ended", outcome=result.outcome)

    def refuse(self, entry: Entry, refused: Refused) -> None:
        """End a run that may not begin, or not go on. Raises LedgerError."""
        reason = f"{refused.reason}: {refused.detail}"
        _log.warning("run_refused", reason=reason)
        if entry.started_at is not None:  # something may have been done already
            self.give_up(entry, reason)
            return
        expired = refused.reason is Reason.EXPIRED
        state = HostRunState.EXPIRED if expired else HostRunState.REFUSED
        report = self._report(entry, state)
        self._post(entry, msgspec.structs.replace(report, reason=reason[:_LONGEST]))

    def give_up(self, entry: Entry, reason: str) -> None:
        """End a run of which nobody knows what it did. Raises LedgerError."""
        report = self._report(entry, HostRunState.UNKNOWN)
        readable = reason.encode(errors="backslashreplace").decode()
        self._post(entry, msgspec.structs.replace(report, reason=readable[:_LONGEST]))

    def _report(self, entry: Entry, state: HostRunState) -> Report:
        return Report(
            **self._answers.sender(),
            run_id=entry.run_id,
            order_sha256=entry.digest,
            counter=self._ledger.next_counter(),
            state=state,
            outcome=None,
            check=False,
            accepted_at=entry.accepted_at,
            started_at=entry.started_at,
            ended_at=now_ms(),
            passes=[],
            worker=VERSION,
        )

    def _post(self, entry: Entry, report: Report) -> None:
        letter = self._answers.signed_report(report)
        self._ledger.end(entry.run_id, letter_digest(letter), letter)
        self._housekeeping.forget_step(entry.run_id)
        if not self._answers.post_report(letter):
            self._housekeeping.hurry()
