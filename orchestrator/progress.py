"""How a host's letters move a host run. Pure; the states are drawn in `contract.outcome`.

What a host signs later in an order's life outweighs what came before: refusal < receipt that it was
cancelled before it came < receipt that it was accepted < report. So whatever the order in which
letters arrive, and however often, they end in the same state. A state that a report has settled
never changes again; any other end gives way to a report.
"""

from msgspec.structs import replace

from contract.outcome import TERMINAL, HostRunState
from contract.report import Footing, FromHost, Pong, Receipt, Refusal, Report
from orchestrator.store.incoming import Standing
from orchestrator.store.record import HostRun

GRACE_MS = 60_000  # how much longer than the runbook's timeout we wait for a report

_ACCEPTED = (HostRunState.DELIVERED, HostRunState.RUNNING)
_LATE_RECEIPT = "the host accepted the order after all; its report has not come yet"
_NEVER_BEGUN = "cancelled before the order came to the host; it will not run there"
# The gate's reasons that are a state of their own: too late, or taken back before it came.
_STATES = {"expired": HostRunState.EXPIRED, "cancelled": HostRunState.CANCELLED}


# It is sent what it lacks, and then the order again, which tells what it says to it.
_NOT_YET = frozenset({"keyring_behind"})


def advance(standing: Standing, message: FromHost, now: int, report: str) -> HostRun:
    """Return the host run after a verified message about its order came in at `now`.

    `report` is a report's payload, which is kept as it is.
    """
    match message:
        case Receipt():
            return _after_receipt(standing, message, now)
        case Report():
            return _after_report(standing.host_run, message, now, report)
        case Refusal():
            return _after_refusal(standing.host_run, message, now)
        case Pong() | Footing():
            return standing.host_run


def _after_receipt(standing: Standing, receipt: Receipt, now: int) -> HostRun:
    host_run = standing.host_run
    if receipt.cancel_sha256 is not None and receipt.cancel_sha256 == host_run.cancel_sha256:
        host_run = replace(host_run, cancel_answered_at=host_run.cancel_answered_at or now)
    if receipt.state is HostRunState.CANCELLED:
        return _after_burial(host_run, receipt, now)
    if receipt.run_id != host_run.run_id or receipt.state not in _ACCEPTED:
        return host_run
    if host_run.reported_at is not None:
        return host_run
    accepted_at = min(receipt.at, host_run.accepted_at or receipt.at)
    if host_run.ended:
        reason = host_run.reason if host_run.state is HostRunState.UNKNOWN else _LATE_RECEIPT
        return replace(host_run, state=HostRunState.UNKNOWN, reason=reason, accepted_at=accepted_at)
    if host_run.state is HostRunState.RUNNING or receipt.state is host_run.state:
        return replace(host_run, accepted_at=accepted_at)
    return replace(
        host_run,
        state=receipt.state,
        accepted_at=accepted_at,
        deadline_at=_deadline(standing, receipt, now),
    )


def _after_burial(host_run: HostRun, receipt: Receipt, now: int) -> HostRun:
    """Return the host run after the host's word that the tombstone came before the order."""
    was_accepted = host_run.accepted_at is not None or host_run.reported_at is not None
    if receipt.run_id != host_run.run_id or was_accepted:
        return host_run
    ended_at = host_run.ended_at if host_run.state is HostRunState.CANCELLED else now
    return replace(host_run, state=HostRunState.CANCELLED, reason=_NEVER_BEGUN, ended_at=ended_at)


def _deadline(standing: Standing, receipt: Receipt, now: int) -> int:
    """Return when we stop waiting; an order that waits on its host may begin until it expires."""
    waits = receipt.state is HostRunState.DELIVERED
    begin = max(now, standing.host_run.expires_at) if waits else now
    return begin + standing.timeout_ms + GRACE_MS


def _after_report(host_run: HostRun, report: Report, now: int, payload: str) -> HostRun:
    if report.run_id != host_run.run_id or report.state not in TERMINAL:
        return host_run
    if host_run.reported_at is not None:
        return host_run
    return replace(
        host_run,
        state=report.state,
        outcome=report.outcome,
        reason=report.reason,
        accepted_at=report.accepted_at,
        deadline_at=None,
        ended_at=now,
        reported_at=now,
        report=payload,
    )


def _after_refusal(host_run: HostRun, refusal: Refusal, now: int) -> HostRun:
    why = f"{refusal.reason}: {refusal.detail}"
    if refusal.letter_sha256 == host_run.cancel_sha256:
        return _after_refused_cancel(host_run, why, now)
    if host_run.state is not HostRunState.QUEUED or refusal.reason in _NOT_YET:
        return host_run
    state = _STATES.get(refusal.reason, HostRunState.REFUSED)
    return replace(host_run, state=state, reason=why, ended_at=now)


def _after_refused_cancel(host_run: HostRun, why: str, now: int) -> HostRun:
    """Return the host run whose host will not cancel it: an order that it has goes its way."""
    if host_run.cancel_answered_at is not None:
        return host_run
    reason = host_run.reason if host_run.ended else f"{host_run.reason} (refused: {why})"
    return replace(host_run, reason=reason, cancel_answered_at=now)
