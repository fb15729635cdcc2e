"""Messages that were dropped, told so that a flood of them does not fill the log."""

import logging
import time

_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class Drops:
    """Counts what was dropped; tells of it at once, and then at most once a second."""

    def __init__(self) -> None:
        """Begin with nothing dropped."""
        self._count = 0
        self._told_at = -_PAUSE_S

    def note(self, why: str) -> None:
        """Count one more message, and tell of it unless it was done just now."""
        self._count += 1
        now = time.monotonic()
        if now - self._told_at >= _PAUSE_S:
            self._told_at = now
            _log.warning("dropped a message that is %s; so far %d", why, self._count)
