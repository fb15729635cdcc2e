"""How a host's letters move a host run. Pure; the states are drawn in `contract.outcome`.

What a host signs later in an order's life outweighs what came before: refusal < receipt < report.
So whatever the order in which letters arrive, and however often, they end in the same state. A
state that a report has settled never changes again; one that we assumed for want of an answer
(`expired`, `unknown`) gives way to a report.
"""

from dataclasses import replace

from contract.order import encode
from contract.outcome import TERMINAL, HostRunState
from contract.report import Pong, Receipt, Refusal, Report
from orchestrator.store.incoming import Standing
from orchestrator.store.record import HostRun

GRACE_MS = 60_000  # how much longer than the runbook's timeout we wait for a report

_ACCEPTED = (HostRunState.DELIVERED, HostRunState.RUNNING)
_LATE_RECEIPT = "the host accepted the order after all; its report has not come yet"
_EXPIRED = "expired"  # the gate's reason for an order that came too late


def advance(standing: Standing, message: Receipt | Report | Refusal | Pong, now: int) -> HostRun:
    """Return the host run after a verified message about its order came in at `now`."""
    match message:
        case Receipt():
            return _after_receipt(standing, message, now)
        case Report():
            return _after_report(standing.host_run, message, now)
        case Refusal():
            return _after_refusal(standing.host_run, message, now)
        case Pong():
            return standing.host_run


def _after_receipt(standing: Standing, receipt: Receipt, now: int) -> HostRun:
    host_run = standing.host_run
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


def _deadline(standing: Standing, receipt: Receipt, now: int) -> int:
    """Return when we stop waiting; an order in the host's line also waits for those before it."""
    waits = receipt.state is HostRunState.DELIVERED
    begin = max(now, standing.busy_until) if waits else now
    return begin + standing.timeout_ms + GRACE_MS


def _after_report(host_run: HostRun, report: Report, now: int) -> HostRun:
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
        report=encode(report).decode(),
    )


def _after_refusal(host_run: HostRun, refusal: Refusal, now: int) -> HostRun:
    if host_run.state is not HostRunState.QUEUED:
        return host_run
    expired = refusal.reason == _EXPIRED
    return replace(
        host_run,
        state=HostRunState.EXPIRED if expired else HostRunState.REFUSED,
        reason=f"{refusal.reason}: {refusal.detail}",
        ended_at=now,
    )
