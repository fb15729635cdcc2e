"""The dispatcher: puts finished letters into the hosts' queues. It has no key.

An order is published again, the same bytes, with growing pauses and only while the host's queue is
empty, until the host's signed receipt is recorded or the order expires. A tombstone takes its
order's place in this; it goes to the head of the queue, so that a host which comes back reads it
first.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event

import structlog

from contract.broker import BrokerError
from contract.instant import now_ms
from contract.names import DELIVER_TASK, host_queue
from contract.publisher import Publisher
from orchestrator.leading import Leading
from orchestrator.presence import DEFAULT_PERIOD_MS
from orchestrator.roll_call import RollCall
from orchestrator.store.record import Letter
from orchestrator.store.store import Store, StoreError

FIRST_PAUSE_MS = 2_000
LAST_PAUSE_MS = 60_000
_BATCH = 200
_IDLE_S = 0.5  # how long to go without a look; a commit by others ends the wait at once
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
        watch = self._store.watch()
        while not stop.is_set():
            self._turned = time.monotonic()
            try:
                is_more_due = self.turn()
                self._say("")
                pause = 0.0
                if not is_more_due:
                    watch.wait(_IDLE_S, stop)
            except (BrokerError, StoreError) as error:
                self._say(str(error))
                pause = min(pause + 0.5, 3.0)
                stop.wait(pause)
        watch.close()

    def turn(self) -> bool:
        """Do what is due now; tell whether more is. Raises BrokerError, StoreError."""
        outgoing, now = self._store.outgoing, now_ms()
        if ended := outgoing.end_overdue(now):
            _log.warning("ended_without_answer", host_runs=ended)
        self._leading.turn()  # before the orders that go by it
        pings = outgoing.pings(now, _BATCH)
        self._publish(pings, self._post_ping, outgoing.pings_posted)
        orders = outgoing.orders(now, _BATCH)
        self._publish(orders, self._post_order, outgoing.orders_posted)
        self._roll_call.turn()
        return _BATCH in (len(pings), len(orders))

    def _publish(
        self,
        letters: list[Letter],
        post: Callable[[Letter], Letter],
        note: Callable[[list[Letter], int], None],
    ) -> None:
        posted: list[Letter] = []
        try:
            for letter in letters:
                posted.append(post(letter))  # noqa: PERF401 - keeps those before a failure
        finally:  # what went out before the broker was lost went out
            if posted:
                note(posted, now_ms())

    def _post_order(self, letter: Letter) -> Letter:
        pause_ms = min(max(2 * letter.pause_ms, FIRST_PAUSE_MS), LAST_PAUSE_MS)
        later = replace(letter, pause_ms=pause_ms)
        run_id, host = letter.key
        if letter.publishes and self._publisher.waiting(host_queue(host)):
            return later  # it lies there still: the host has not fetched it
        publish = self._publisher.overtake if letter.overtakes else self._publisher.publish
        publish(host_queue(host), DELIVER_TASK, letter.data)
        kind = "cancel" if letter.overtakes else "order"
        _log.info("published", run=run_id, host=host, letter=kind, time=letter.publishes + 1)
        return replace(later, publishes=letter.publishes + 1)

    def _post_ping(self, letter: Letter) -> Letter:
        later = replace(letter, pause_ms=FIRST_PAUSE_MS)
        if letter.publishes and self._publisher.waiting(host_queue(letter.host)):
            return later
        self._publisher.publish(host_queue(letter.host), DELIVER_TASK, letter.data)
        return replace(later, publishes=letter.publishes + 1)

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("hindered", reason=trouble)
        elif self._trouble and not trouble:
            _log.info("at_work_again")
        self._trouble = trouble
