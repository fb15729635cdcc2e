"""What a whole world of ours is made to hang on: two clocks, and a fuse that crashes it.

Clocks and waits are replaced beneath `contract.instant` and `worker.proc`, so that a run of hours
takes milliseconds. A crash is an exception that nothing catches, raised before or after a chosen
one of the calls that last; from then on nothing lasts until the crashed side is made anew.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import contract.bell
import contract.instant
import worker.courier
import worker.deadline
import worker.executor
import worker.line
import worker.proc
import worker.watchdog
from orchestrator.store.cancels import Cancels
from orchestrator.store.incoming import Incoming
from orchestrator.store.outgoing import Outgoing
from worker.ledger import Ledger
from worker.mailbox import Mailbox
from worker.spot import Spot

BEGIN_MS = 1_800_000_000_000

# Whatever lasts: a crash before it and a crash after it are two moments.
LASTING: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (
        Ledger,
        (
            *("accept", "cancel", "begin", "interrupted", "keep_items", "begin_step"),
            *("end_step", "end", "acknowledge", "prune"),
        ),
    ),
    (Mailbox, ("put", "take_away")),
    (Path, ("unlink", "rename")),
    (Spot, ("unlink", "replace")),
    (Incoming, ("take",)),
    (Outgoing, ("orders", "orders_posted", "end_overdue")),
    (Cancels, ("add",)),
)


class Crash(BaseException):
    """The process is gone; no `except Exception` may hear of it."""


@dataclass(slots=True)
class Fuse:
    """Blows at a chosen moment, counted from when it was set."""

    left: int = 0  # moments until it blows; 0: it is not set
    blown: bool = False

    def moment(self) -> None:
        """Let one moment pass. Raises Crash if this is the one, or if it has been."""
        if self.blown:
            raise Crash
        if self.left:
            self.left -= 1
            self.blown = not self.left
            if self.blown:
                raise Crash

    def set(self, moments: int) -> None:
        self.left, self.blown = moments, False


@dataclass(slots=True)
class Clocks:
    """The true time, and how far a host's wall clock is off; only the host lives by that one."""

    wall_ms: int = BEGIN_MS
    boot_s: float = 1_000.0
    boot: int = 1
    host_off_ms: int = 0
    at_host: bool = False

    def pass_time(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.boot_s += seconds

    def reboot(self) -> None:
        self.boot, self.boot_s = self.boot + 1, 10.0

    def boot_id(self) -> str:
        return f"boot {self.boot}"

    def _wall_ns(self) -> int:
        return (self.wall_ms + (self.host_off_ms if self.at_host else 0)) * 1_000_000

    def _select(self, *files_and_seconds: Any) -> tuple[list[int], list[int], list[int]]:
        self.pass_time(files_and_seconds[-1])
        return [], [], []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let all that is ours live by these clocks."""
        boot = SimpleNamespace(
            clock_gettime=lambda _: self.boot_s, CLOCK_BOOTTIME=time.CLOCK_BOOTTIME
        )
        monotonic = SimpleNamespace(monotonic=lambda: self.boot_s)
        with (
            patch.object(contract.instant, "time", SimpleNamespace(time_ns=self._wall_ns)),
            patch.object(worker.proc, "time", boot),
            patch.object(worker.courier, "time", monotonic),
            patch.object(worker.watchdog, "time", monotonic),
            patch.object(contract.bell, "select", SimpleNamespace(select=self._select)),
            patch.object(worker.executor, "boot_id", self.boot_id),
            patch.object(worker.deadline, "boot_id", self.boot_id),
            patch.object(worker.line, "boot_id", self.boot_id),
        ):
            yield


@dataclass(slots=True)
class Boundaries:
    """Puts the fuse before and after every call that lasts, and tells a witness of it."""

    fuse: Fuse
    witness: Callable[[str, tuple[Any, ...]], None]  # the call's name, its arguments
    _order: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Guard the calls that last."""
        with ExitStack() as stack:
            for owner, names in LASTING:
                for name in names:
                    guarded = self._guarded(getattr(owner, name), f"{owner.__name__}.{name}")
                    stack.enter_context(patch.object(owner, name, guarded))
            stack.enter_context(patch.object(Mailbox, "_write", self._dated(Mailbox._write)))
            yield

    def _guarded(self, lasting: Callable[..., Any], name: str) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            self.fuse.moment()
            result = lasting(*arguments, **named)
            self.witness(name, arguments)
            self.fuse.moment()
            return result

        return guarded

    def _dated(self, write: Callable[..., None]) -> Callable[..., None]:
        """Give each letter a moment of its own: a tie would be decided by its random digest."""

        def dated(mailbox: Mailbox, name: str, data: bytes) -> None:
            write(mailbox, name, data)
            moment = next(self._order) + BEGIN_MS
            os.utime(mailbox.directory / name, ns=(moment, moment))

        return dated
