"""The host's word that a run has begun: a receipt, for a run that is not over at once."""

import math

from contract.outcome import HostRunState
from worker.answers import Answers
from worker.ledger import Entry
from worker.proc import boot_clock

MOMENT_S = 0.25  # what nobody who follows a run would see; well below the dispatcher's first pause


class Onset:
    """Says `running` once a run has lasted a moment; of a short one the report says everything.

    Most runs are checks that find all as it should be: two letters of each were one too many, for
    the broker, the recorder, and the store, which keeps them all.
    """

    def __init__(self, answers: Answers) -> None:
        """Say it by `answers`."""
        self._answers = answers
        self._run: Entry | None = None
        self._due_at = math.inf

    def begin(self, entry: Entry) -> None:
        """Note that a run begins, or goes on after a crash."""
        self._run, self._due_at = entry, boot_clock() + MOMENT_S

    @property
    def left_s(self) -> float:
        """Return after how many seconds to look again; infinitely many if nothing is to be said."""
        return max(self._due_at - boot_clock(), 0.0)

    def look(self) -> None:
        """Say it if it is time."""
        if self._run and self.left_s == 0:
            self._answers.receipt(self._run.run_id, self._run.digest, HostRunState.RUNNING)
            self.end()

    def end(self) -> None:
        """Note that it is over, or was said."""
        self._run, self._due_at = None, math.inf
