"""How a step and a host run can end, and which end outweighs which."""

from collections.abc import Iterable
from enum import StrEnum


class StepOutcome(StrEnum):
    """What became of one step on one host."""

    OK = "ok"  # the state held already; nothing was done
    CHANGED = "changed"  # the state did not hold, the action ran, and now it holds
    WOULD_CHANGE = "would_change"  # check mode: the action would have run
    SKIPPED = "skipped"  # `when` was false, or an earlier step ended the pass
    FAILED = "failed"  # the state does not hold
    UNKNOWN = "unknown"  # nobody can tell: an observation could not be made
    TIMED_OUT = "timed_out"  # time ran out before the state held
    CANCELLED = "cancelled"  # somebody took the order back
    ROLLED_BACK = "rolled_back"  # the earlier state was put back, and that was verified


# From worst to best. A host run's outcome is the worst of its steps'.
SEVERITY: tuple[StepOutcome, ...] = (
    StepOutcome.FAILED,
    StepOutcome.UNKNOWN,
    StepOutcome.TIMED_OUT,
    StepOutcome.CANCELLED,
    StepOutcome.ROLLED_BACK,
    StepOutcome.WOULD_CHANGE,
    StepOutcome.CHANGED,
    StepOutcome.OK,
    StepOutcome.SKIPPED,
)

# After one of these the rest of a changing pass is skipped.
ENDING = frozenset(SEVERITY[:5])


def worst(outcomes: Iterable[StepOutcome]) -> StepOutcome:
    """Return the gravest outcome; nothing at all, or skipped alone, counts as ok."""
    gravest = min(outcomes, key=SEVERITY.index, default=StepOutcome.OK)
    return StepOutcome.OK if gravest is StepOutcome.SKIPPED else gravest


# A host run's states, as the orchestrator sees them:
#
#   queued ──receipt──> delivered ──receipt──> running ──report──> succeeded | failed | unknown
#     │                     │                     │                          | cancelled | refused
#     │                     └──── no report by the deadline ────> unknown
#     ├── no receipt by the expiry ──> expired
#     └── cancelled before it was sent, or before it came to the host (receipt) ──> cancelled
#
#   A host run that is being cancelled goes the same ways: its host answers the tombstone by a
#   receipt, and by a report if it had the order. Without an answer it expires as any other.
#
#   A verified report that comes late replaces every end that no report has told: `unknown`,
#   `expired`, and a `cancelled` or `refused` that the host told of another copy of the order.
#   What a report has told is never replaced.
class HostRunState(StrEnum):
    """Where one host's share of a run stands."""

    QUEUED = "queued"  # signed and stored; the host has not answered yet
    DELIVERED = "delivered"  # the host accepted the order (signed receipt) and it waits its turn
    RUNNING = "running"  # the host has begun (signed receipt); a short run is reported at once
    SUCCEEDED = "succeeded"  # reported: every state holds
    FAILED = "failed"  # reported: some state does not hold
    REFUSED = "refused"  # reported: the host would not take the order, and says why
    EXPIRED = "expired"  # the order's time ran out and no host answered
    CANCELLED = "cancelled"  # taken back before it was done
    UNKNOWN = "unknown"  # accepted but never reported, or reported as undecidable


TERMINAL = frozenset(HostRunState) - {
    HostRunState.QUEUED,
    HostRunState.DELIVERED,
    HostRunState.RUNNING,
}

_STATE_OF_OUTCOME = {
    StepOutcome.FAILED: HostRunState.FAILED,
    StepOutcome.TIMED_OUT: HostRunState.FAILED,
    StepOutcome.ROLLED_BACK: HostRunState.FAILED,
    StepOutcome.UNKNOWN: HostRunState.UNKNOWN,
    StepOutcome.CANCELLED: HostRunState.CANCELLED,
}


def state_of(outcome: StepOutcome) -> HostRunState:
    """Return the terminal state that a finished host run with this outcome is in."""
    return _STATE_OF_OUTCOME.get(outcome, HostRunState.SUCCEEDED)
