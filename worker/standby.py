"""The keeper that stands by for this executor's next command.

    executor ──fork──> keeper ─spawn──> one command after another
        └──── socket ────┘

Whoever forks pays afterwards for every page of its memory that it writes to, and an executor writes
to thousands in each run: a fork for each command took half of a run's time. So a keeper whose
command has left nothing behind stays, if commands follow each other. As long as it does it holds
what the executor's memory was when it was born; where they don't, it goes when the run is over.
"""

import math

from worker.keeper_link import KeeperLink
from worker.proc import boot_clock

SOON_S = 5.0  # commands that are no farther apart follow each other


class Standby:
    """Has the one keeper of a process, or none."""

    def __init__(self) -> None:
        """Have none yet."""
        self._keeper: KeeperLink | None = None
        self._wanted_at = math.inf  # first in the present run, on the boot clock
        self._used_until = -math.inf  # by the run before

    def at_hand(self) -> KeeperLink:
        """Return the keeper, a new one if there is none. Raises OSError."""
        self._wanted_at = min(self._wanted_at, boot_clock())
        if self._keeper and not self._keeper.is_at_hand:
            self.dismiss()
        self._keeper = self._keeper or KeeperLink()
        return self._keeper

    def end_run(self) -> None:
        """Let the keeper go, unless the run before had one, too, and not long ago."""
        if self._wanted_at < math.inf:
            follows = self._wanted_at - self._used_until <= SOON_S
            self._wanted_at, self._used_until = math.inf, boot_clock()
            if not follows:
                self.dismiss()

    def dismiss(self) -> None:
        """End the keeper, which has no command to keep, if there is one."""
        keeper, self._keeper = self._keeper, None
        if keeper:
            keeper.end()

    def leave(self) -> None:
        """Have no more to do with the keeper: it ends when it is done."""
        keeper, self._keeper = self._keeper, None
        if keeper:
            keeper.leave()


STANDBY = Standby()  # one for each process, as there is one memory
