"""The courier's watchdog: its own words, coming back, prove that its connection is alive."""

import time


class Watchdog:
    """Knows when the courier last heard its own word."""

    def __init__(self) -> None:
        """Begin as if a word had just come."""
        self._heard = time.monotonic()
        self._nonces: set[str] = set()

    def sent(self, nonce: str) -> None:
        """Note a word that is under way."""
        self._nonces.add(nonce)

    def heard(self, nonce: str) -> None:
        """Note a word that came back; strangers' words don't count."""
        if nonce in self._nonces:
            self._nonces.clear()
            self._heard = time.monotonic()

    def reached_broker(self) -> None:
        """Note that the broker was out of reach until now: silence was no stall."""
        self._heard = time.monotonic()
        self._nonces.clear()

    @property
    def silent_s(self) -> float:
        """Return for how many seconds no word has come back."""
        return time.monotonic() - self._heard
