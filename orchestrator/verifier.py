"""The verifier: looks into the claims of many letters, in a process beside this one if it can.

A signature takes half as long as storing a letter, and Python does one thing at a time: so what
comes next is opened, verified and read by another process while this one stores what came before.
If there is none, or it is not there yet, or silent, or dead, the same is done here.
"""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from socket import socketpair

import msgspec
import structlog

from contract.closing import Closing
from orchestrator.claim import Claim, look_into
from orchestrator.heard import Heard
from orchestrator.line import Line
from orchestrator.verifying import READY

PATIENCE_S = 10.0  # a hundred times what a part of a batch takes
PAUSE_S = 30.0  # before another process is started after one that failed

# -P: a module in the current directory must not be taken for ours.
_COMMAND = (sys.executable, "-P", "-m", "orchestrator.verifying")

_log = structlog.get_logger(__name__)


class Verifier(Closing):
    """Looks into claims; not for use by two threads at once."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        """Start nothing yet; do without a process that is silent for so long."""
        self._patience_s = patience_s
        self._beside: _Beside | None = None
        self._start_at = 0.0 if (os.cpu_count() or 1) > 1 else math.inf

    @property
    def pid(self) -> int | None:
        """Return the process beside this one, if it is at work."""
        return self._beside.process.pid if self._beside and self._beside.is_up else None

    def begin(self, claims: Sequence[Claim]) -> Callable[[], list[Heard]]:
        """Have claims looked into meanwhile; return what waits for what was heard.

        What was begun before and not asked for is looked into anew if it is asked for after all.
        """
        try:
            beside = self._started()
            number = beside.ask(claims) if beside and beside.is_up else None
        except (OSError, EOFError) as error:
            self._give_up(error)
            number = None
        return lambda: self._answer(claims, number)

    def close(self) -> None:
        """End the process beside."""
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def _started(self) -> "_Beside | None":
        if self._beside is None and time.monotonic() >= self._start_at:
            self._beside = _Beside(self._patience_s)
        return self._beside

    def _answer(self, claims: Sequence[Claim], number: int | None) -> list[Heard]:
        if self._beside and self._beside.number == number:
            try:
                return self._beside.answer()
            except (OSError, EOFError) as error:
                self._give_up(error)
        return look_into(claims)

    def _give_up(self, error: Exception) -> None:
        _log.warning("verifier_lost", reason=type(error).__name__, again_in_s=PAUSE_S)
        self.close()
        self._start_at = time.monotonic() + PAUSE_S


class _Beside(Closing):
    """The process beside this one, which ends when this one is gone.

    Raises OSError, TimeoutError among them, and EOFError.
    """

    def __init__(self, patience_s: float) -> None:
        ours, theirs = socketpair()
        ours.settimeout(patience_s)
        self._line = Line(ours)
        with theirs:
            self.process = subprocess.Popen(
                _COMMAND, stdin=theirs.fileno(), stdout=subprocess.DEVNULL
            )
        self._is_up = False
        self._numbers = count(1)
        self.number = 0  # of the question that is not answered yet; 0: there is none

    @property
    def is_up(self) -> bool:
        """Tell whether it has said that it is ready; that takes a tenth of a second."""
        if not self._is_up and self._line.has_word:
            self._is_up = self._line.receive() == READY
        return self._is_up

    def ask(self, claims: Sequence[Claim]) -> int:
        """Have it look into claims; return the question's number."""
        if self.number:
            self.answer()  # nobody wanted it
        self._line.send(msgspec.msgpack.encode(claims))
        self.number = next(self._numbers)
        return self.number

    def answer(self) -> list[Heard]:
        """Wait for what it says."""
        answer = msgspec.msgpack.decode(self._line.receive(), type=list[Heard])
        self.number = 0
        return answer

    def close(self) -> None:
        """End it."""
        self._line.close()
        self.process.kill()
        self.process.wait()
