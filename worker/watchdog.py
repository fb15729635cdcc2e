"""The courier's watchdog: its own words, coming back, prove that its connection is alive."""

import time

from contract.instant import now_ms
from worker.proc import boot_clock


class Watchdog:
    """Knows when the courier last heard its own word."""

    def __init__(self) -> None:
        """Begin as if a word had just come."""
        self._heard = time.monotonic()
        self._nonces: set[str] = set()
        self.word_at: int | None = None  # ms since 1970: when a word really came back
        self.word_s: float | None = None  # the same in seconds since boot

    def sent(self, nonce: str) -> None:
        """Note a word that is under way."""
        self._nonces.add(nonce)

    def heard(self, nonce: str) -> bool:
        """Note a word that came back; strangers' words don't count. Tell whether it was ours."""
        if nonce not in self._nonces:
            return False
        self._nonces.clear()
        self._heard = time.monotonic()
        self.word_at, self.word_s = now_ms(), boot_clock()
        return True

    def reached_broker(self) -> None:
        """Note that the broker was out of reach until now: silence was no stall."""
        self._heard = time.monotonic()
        self._nonces.clear()

    @property
    def silent_s(self) -> float:
        """Return for how many seconds no word has come back."""
        return time.monotonic() - self._heard
