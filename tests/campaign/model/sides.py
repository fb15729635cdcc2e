"""The two sides of the model's world, each made of its real parts, each thrown away by a crash."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from contract.broker import BrokerError
from contract.error import DenreiError
from contract.names import RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.post import Received
from orchestrator.attendance import Attendance
from orchestrator.dispatch import Dispatcher
from orchestrator.home import Home
from orchestrator.recorder import Recorder
from orchestrator.recording import Recording
from orchestrator.verifier import Verifier
from tests.campaign.model.surroundings import Clocks, Crash
from tests.campaign.model.wire import Wire
from worker.config import Config
from worker.courier import Sender
from worker.courier_config import load_courier_config
from worker.executor import Executor
from worker.mailbox import Mailbox, MailboxError
from worker.recovery import recover
from worker.watchdog import Watchdog

HOST = "web1"
_NO_LIMIT = 2**32 - 2  # pages: SQLite's own default


class Room(StrEnum):
    """How full the host's disk is. The last letter that fits leaves none for the ledger."""

    ENOUGH = "enough"
    NOT_FOR_LEDGER = "not for the ledger"
    NONE = "none"


class HostSide:
    """Courier and executor of the one host."""

    def __init__(self, config: Config, wire: Wire, clocks: Clocks) -> None:
        """Start both."""
        self.config, self._wire, self._clocks = config, wire, clocks
        self._executor: Executor | None = None
        self._sender: Sender | None = None
        self._room = Room.ENOUGH

    def work(self, turns: int) -> None:
        """Let the executor go round so often, as its `serve` does."""
        executor = self._living()
        for _ in range(turns):
            executor._take()
            if turn := executor._line.next():
                executor._carry_out(turn)
            else:
                executor._housekeeping.tidy()

    def tidy(self) -> None:
        """Let the executor forget what it may."""
        executor = self._living()
        executor._housekeeping.hurry()
        executor._housekeeping.tidy()

    def deliver(self, which: int) -> None:
        """Let the courier put a letter into the inbox."""
        if letter := self._wire.take(host_queue(HOST), which):
            with suppress(MailboxError):  # the courier, too, only says so
                Mailbox(self.config.inbox).put(letter)

    def send(self) -> None:
        """Let the courier send what is due."""
        if self._sender is None:
            own = load_courier_config(self.config.courier_config)
            self._sender = Sender(self.config, own, Watchdog())
            self._sender._publisher = self._wire  # type: ignore[assignment]  # stands for one
        self._sender._send()

    def leave(self, room: Room) -> None:
        """Fill the disk, or give the room back."""
        self._room = room
        self._limit()

    def stop(self) -> None:
        """End in order; also what a crash leaves of the process."""
        if self._executor is not None:
            self._executor._ledger.close()
            self._executor._bell.close()
            os.close(self._executor._lock)
        if self._sender is not None:
            self._sender._bell.close()
        self._executor = self._sender = None

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is to be run and nothing to be acknowledged."""
        ledger = self._living()._ledger
        return not ledger.open_orders() and not ledger.unacknowledged()

    def _living(self) -> Executor:
        if self._executor is None:
            self._executor = Executor(self.config)
            self._limit()
            recover(self._executor._gate, self._executor._tools)
        return self._executor

    def _limit(self) -> None:
        if self._executor is not None:
            pages = (
                _NO_LIMIT if self._room is Room.ENOUGH else 1
            )  # SQLite takes what is in use as the least
            self._executor._ledger._file.connection.execute(f"PRAGMA max_page_count={pages}")

    def guard(self, write: Callable[..., None]) -> Callable[..., None]:
        """Return a mailbox's way of writing that knows of the full disk."""

        def guarded(*arguments: Any) -> None:
            if self._room is Room.NONE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(*arguments)

        return guarded


class OrchestratorSide:
    """Dispatcher and recorder over one store."""

    def __init__(self, home: Home, wire: Wire) -> None:
        """Start both."""
        self._home, self._wire = home, wire
        self.store = home.open_store()
        self._start()

    def _start(self) -> None:
        self._dispatcher = Dispatcher(self.store, self._wire)  # type: ignore[arg-type]
        recorder = Recorder(self.store, self._home.recorder_key(), Verifier())
        self._recording = Recording(recorder, self._home.broker, Attendance(self.store))
        self._recording._publisher = self._wire  # type: ignore[assignment]

    def dispatch(self) -> None:
        """Let the dispatcher take a turn."""
        with suppress(BrokerError):  # it waits and tries again
            self._dispatcher.turn()

    def record(self, which: int) -> None:
        """Let the recorder take a letter in."""
        if letter := self._wire.take(REPORTS_QUEUE, which):
            self._recording.take([Received(RECORD_TASK, letter.decode())])

    def stop(self) -> None:
        """What a crash leaves: the store on its disk."""
        self.store.close()
        self.store = self._home.open_store()
        self._start()


def settle(act: Callable[[], None], side: HostSide | OrchestratorSide) -> None:
    """Let a side act; after a crash, or an error that ends its process, it begins anew."""
    try:
        act()
    except (Crash, DenreiError):  # its supervisor starts it again
        side.stop()
