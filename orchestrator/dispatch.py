"""The dispatcher: puts finished letters into the hosts' queues. It has no key.

An order is published again, the same bytes, with growing pauses and only while the host's queue is
empty, until the host's signed receipt is recorded or the order expires. While the recorder lags it
waits, though not for long: the receipt may lie there. A tombstone takes its order's place in this;
it goes to the head of the queue, so that a host which comes back reads it first.
"""

import time
from collections.abc import Sequence
from threading import Event

import structlog
from msgspec.structs import replace

from contract.broker import BrokerError
from contract.instant import now_ms
from contract.names import DELIVER_TASK, REPORTS_QUEUE, host_queue
from contract.post import Post
from contract.publisher import Publisher
from orchestrator.home import DEFAULT_PERIOD_MS
from orchestrator.leading import Leading
from orchestrator.roll_call import RollCall
from orchestrator.store.record import Letter
from orchestrator.store.store import Store, StoreError

FIRST_PAUSE_MS = 2_000
LAST_PAUSE_MS = 60_000
LAGGING = 200  # letters before the recorder: two of its transactions
LENIENT_MS = 16_000  # after such a pause an order goes out again, however the recorder fares
_BATCH = 500
_IDLE_S = 0.5  # how long to go without a look; whoever leaves letters ends the wait at once
_HANG_S = 30.0  # a turn that takes longer is told as a hang

_log = structlog.get_logger(__name__)


class Dispatcher:
    """Publishes what is due and ends what nobody answered, turn by turn."""

    def __init__(
        self, store: Store, publisher: Publisher, period_ms: int = DEFAULT_PERIOD_MS
    ) -> None:
        """Take letters from the store, put them out through the publisher.

        Every host is asked for its presence once in `period_ms`.
        """
        self._store = store
        self._roll_call = RollCall(store, publisher, period_ms)
        self._leading = Leading(store, publisher)
        self._publisher = publisher
        self._trouble = ""
        self._turned = time.monotonic()

    @property
    def detail(self) -> str:
        """Return what hinders it, or nothing."""
        if time.monotonic() - self._turned > _HANG_S:
            return self._trouble or "it hangs"
        return self._trouble

    def run(self, stop: Event) -> None:
        """Take turns until told to stop; neither a dead broker nor a busy store ends it."""
        pause = 0.0
        with self._store.doorbell() as doorbell:
            while not stop.is_set():
                self._turned = time.monotonic()
                try:
                    is_more_due = self.turn()
                    self._say("")
                    pause = 0.0
                    if not is_more_due:
                        doorbell.wait(_IDLE_S, stop)
                except (BrokerError, StoreError) as error:
                    self._say(str(error))
                    pause = min(pause + 0.5, 3.0)
                    stop.wait(pause)

    def turn(self) -> bool:
        """Do what is due now; tell whether more is. Raises BrokerError, StoreError."""
        now = now_ms()
        try:
            return self._send(now)
        finally:  # also while the broker is away
            if ended := self._store.outgoing.end_overdue(now):
                _log.warning("ended_without_answer", host_runs=ended)

    def _send(self, now: int) -> bool:
        """Put out what is due; orders first, since somebody may wait for one."""
        outgoing = self._store.outgoing
        self._leading.turn()  # before the orders that go by it
        orders = outgoing.orders(now, _BATCH)
        outgoing.orders_posted([_next_order(order) for order in self._post(orders)], now_ms())
        pings = outgoing.pings(now, _BATCH)
        outgoing.pings_posted([_next_ping(ping) for ping in self._post(pings)], now_ms())
        self._roll_call.turn()
        return _BATCH in (len(pings), len(orders))

    def _post(self, letters: Sequence[Letter]) -> list[Letter]:
        """Publish what does not lie in its host's queue still; return all of them, counted.

        They go out together. If the broker is lost meanwhile none is noted, and some go out again.
        """
        again = [letter for letter in letters if letter.publishes]
        lying = self._lying(again) if again else set()
        going = [letter for letter in letters if letter.key not in lying]
        if going:
            self._publisher.send([_post(letter) for letter in going])
            _log.info("published", letters=len(going), again=len(again) - len(lying))
        return [
            letter if letter.key in lying else replace(letter, publishes=letter.publishes + 1)
            for letter in letters
        ]

    def _lying(self, again: Sequence[Letter]) -> set[tuple[str, ...]]:
        """Return the letters that need not go out again now: they, or their answers, lie there."""
        queues = [host_queue(letter.host) for letter in again]
        unread, *counts = self._publisher.waiting_in([REPORTS_QUEUE, *queues])
        return {
            letter.key
            for letter, count in zip(again, counts, strict=True)
            if count or (unread > LAGGING and 0 < letter.pause_ms < LENIENT_MS)
        }

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("hindered", reason=trouble)
        elif self._trouble and not trouble:
            _log.info("at_work_again")
        self._trouble = trouble


def _post(letter: Letter) -> Post:
    queue, text = host_queue(letter.host), letter.data.decode()
    return Post(queue, DELIVER_TASK, text, overtakes=letter.overtakes)


def _next_order(letter: Letter) -> Letter:
    pause_ms = min(max(2 * letter.pause_ms, FIRST_PAUSE_MS), LAST_PAUSE_MS)
    return replace(letter, pause_ms=pause_ms)


def _next_ping(letter: Letter) -> Letter:
    return replace(letter, pause_ms=FIRST_PAUSE_MS)
