"""What the dispatcher waits at: it is rung when letters for hosts were left in the store."""

from threading import Event

from contract.bell import Bell
from contract.closing import Closing
from orchestrator.store.database import Database

_BLIND_S = 0.2


class Doorbell(Closing):
    """A named pipe beside an SQLite file; other databases have none, and every wait is short.

    A ring only saves time, as it may be lost: who may write the store but not the pipe, say.
    """

    def __init__(self, database: Database) -> None:
        """Hear every ring from here on."""
        self._bell = Bell(database.bell) if database.bell else None

    def wait(self, seconds: float, stop: Event) -> bool:
        """Wait for a ring, at most so many seconds; tell whether there was one."""
        if self._bell:
            return self._bell.wait(seconds)
        stop.wait(min(seconds, _BLIND_S))
        return False

    def close(self) -> None:
        """Let the pipe go."""
        bell, self._bell = self._bell, None
        if bell:
            bell.close()
