"""How far this host's clock is off, as far as signed times can tell."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Taken:
    """When an order was signed, by the orchestrator's clock, and taken, by this host's."""

    run_id: str
    issued_at: int  # ms since 1970
    accepted_at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """This host's clock less the orchestrator's, and what it was read from.

    Below zero it is behind by at least so much. Above zero it is ahead by at most so much: the
    order's way is in it, too.
    """

    skew_ms: int
    run_id: str
    signed_at: int


def compare(now: int, taken: Iterable[Taken]) -> Comparison | None:
    """Return the closest comparison that some orders allow; None without orders."""
    orders = list(taken)
    if not orders:
        return None
    newest = max(orders, key=lambda order: order.issued_at)
    if now < newest.issued_at:  # the clock was set back since
        return Comparison(now - newest.issued_at, newest.run_id, newest.issued_at)
    quickest = min(orders, key=lambda order: order.accepted_at - order.issued_at)
    skew_ms = quickest.accepted_at - quickest.issued_at
    return Comparison(skew_ms, quickest.run_id, quickest.issued_at)
