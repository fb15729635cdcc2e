"""What the executor puts in order every now and then: lost files, old orders, locks of no use."""

from pathlib import Path

import structlog

from contract.error import PassingError
from worker.answers import Answers
from worker.ledger import Ledger
from worker.lock import forget_step, forget_steps
from worker.mailbox import Mailbox
from worker.proc import boot_clock

TIDY_S = 600.0  # how often to forget old orders
AGAIN_S = 5.0  # how soon to try again what the disk did not take

_log = structlog.get_logger(__name__)


class Housekeeping:
    """Puts out reports whose file got lost, and forgets what is over."""

    def __init__(self, ledger: Ledger, outbox: Mailbox, answers: Answers, locks: Path) -> None:
        """Begin with the first call of `tidy`."""
        self._ledger = ledger
        self._outbox = outbox
        self._answers = answers
        self._locks = locks
        self._due_at = 0.0

    def hurry(self) -> None:
        """Tidy at the next occasion: a report could not be put out."""
        self._due_at = 0.0

    def tidy(self) -> None:
        """Put everything in order if it is time to."""
        if boot_clock() < self._due_at:
            return
        try:
            self._put_in_order()
        except PassingError as error:  # a full disk is no reason to end
            _log.error("tidying_failed", error=str(error))
            self._due_at = boot_clock() + AGAIN_S

    def forget_step(self, run_id: str) -> None:
        """Remove the lock of the steps of a run that is over."""
        forget_step(self._locks, run_id)

    def _put_in_order(self) -> None:
        out = {path.stem for path in self._outbox.letters() if self._outbox.read(path)}
        missing = [letter for d, letter in self._ledger.unacknowledged() if d not in out]
        all_out = all([self._answers.post_report(m) for m in missing])  # noqa: C419 - all of them
        self._ledger.prune()
        # A killed executor has left one, or what it could not end.
        forget_steps(self._locks, [entry.run_id for entry in self._ledger.open_orders()])
        self._due_at = boot_clock() + (TIDY_S if all_out else AGAIN_S)
