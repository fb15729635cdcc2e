"""When a broker last gave this process anything: what tells a stall from a flood."""

import time


class Arrival:
    """Remembers the last message that came in, whatever it was."""

    def __init__(self) -> None:
        """Begin with nothing come in."""
        self.at = 0.0  # by the monotonic clock

    def note(self) -> None:
        """Note that something came in just now."""
        self.at = time.monotonic()


ARRIVAL = Arrival()  # of this process
