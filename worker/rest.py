"""How long an executor has had nothing to do, and whether it may end because of that."""

from datetime import timedelta

from worker.proc import boot_clock

ASLEEP = "asleep"  # what it notes in its lock when it ends for want of work


class Rest:
    """Counts the time since the last work."""

    def __init__(self, after: timedelta | None) -> None:
        """Be due after so long; None: never."""
        self._after = after
        self._since = boot_clock()

    def stir(self) -> None:
        """Note that there is work."""
        self._since = boot_clock()

    @property
    def is_due(self) -> bool:
        """Tell whether nothing was to be done for so long."""
        return self._after is not None and boot_clock() - self._since >= self._after.total_seconds()
