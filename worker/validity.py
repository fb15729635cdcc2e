"""When a letter is good: by this host's clock, its ledger, and what it has taken before. No I/O."""

from typing import Protocol

from contract.order import MAX_CANCEL_LIFE_MS, MAX_LIFE_MS, Cancel, Order, Ping
from worker.verdict import Reason, Refused

SKEW_MS = 60_000  # how far the orchestrator's clock may run ahead of the host's


class Memory(Protocol):
    """What the gate needs to know of the ledger."""

    created_at: int  # ms since 1970

    @property
    def floor(self) -> int:
        """Return the time below which nothing is accepted any more; ms since 1970."""

    def digest_of(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id, if it was ever accepted."""

    def cancelled_digest(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id that was cancelled, if one was."""


def check_ping(ping: Ping, now: int) -> None:
    """See to it that a ping is of now. Raises Refused."""
    if not ping.issued_at - SKEW_MS <= now < ping.expires_at:
        raise Refused(Reason.EXPIRED, "the ping is too old or from the future")


def check_cancel(cancel: Cancel, now: int) -> None:
    """See to it that a cancel is good now. Raises Refused."""
    life = cancel.expires_at - cancel.issued_at
    rules = (
        (cancel.issued_at > now + SKEW_MS, Reason.FROM_THE_FUTURE, "issued in this host's future"),
        (cancel.expires_at <= now, Reason.EXPIRED, "the cancel has expired"),
        (life > MAX_CANCEL_LIFE_MS, Reason.LIVES_TOO_LONG, "it would be good for over two weeks"),
    )
    for broken, reason, detail in rules:
        if broken:
            raise Refused(reason, detail, cancel.run_id)


def check_that_it_never_came(cancel: Cancel, memory: Memory) -> None:
    """Refuse to call an order cancelled that may have run here and been forgotten since."""
    if cancel.ordered_at < memory.created_at:
        detail = "its order is older than this host's ledger, which can't know whether it ran"
        raise Refused(Reason.OLDER_THAN_LEDGER, detail, cancel.run_id)
    if cancel.order_expires_at < memory.floor:
        detail = "its order expired before orders taken since, and may be forgotten here"
        raise Refused(Reason.EXPIRED, detail, cancel.run_id)


def check_order(order: Order, now: int, memory: Memory) -> None:
    """See to it that an order is good now, and no older than what is remembered. Raises Refused."""
    life = order.expires_at - order.not_before
    rules = (
        (order.issued_at > now + SKEW_MS, Reason.FROM_THE_FUTURE, "issued in this host's future"),
        (order.not_before > now + SKEW_MS, Reason.NOT_YET_VALID, "its time has not come yet"),
        (order.expires_at <= now, Reason.EXPIRED, "it has expired"),
        (order.expires_at < memory.floor, Reason.EXPIRED, "it expired before orders taken since"),
        (life > MAX_LIFE_MS, Reason.LIVES_TOO_LONG, "it would be good for more than seven days"),
        (
            order.issued_at < memory.created_at,
            Reason.OLDER_THAN_LEDGER,
            "it is older than this host's ledger, which can't know whether it was run already",
        ),
    )
    for broken, reason, detail in rules:
        if broken:
            raise Refused(reason, detail, order.run_id)
