"""What the fleet learns of a certificate that was looked at."""

from datetime import datetime

from contract.certificate import CertificateFact
from contract.instant import from_datetime, now_ms
from contract.probe import CertificateState
from worker.certificate.judge import State
from worker.certificate.witness import Running, Shown, Witnesses

_LONGEST = 4000
_LONGEST_NAME = 1000
_MOST_NAMES = 100


def to_fact(
    state: State,
    arguments: CertificateState,
    *,
    service: str = "",
    renewal: str = "",
    observed_at: int | None = None,
) -> CertificateFact:
    """Return the fact: what was found, as it travels. Without a `service`, whom we asked for."""
    found = state.found
    return CertificateFact(
        path=arguments.path or "",
        endpoint=state.witnesses.wire.endpoint if state.witnesses.wire else "",
        service=(service or arguments.unit or _program(state.witnesses))[:_LONGEST],
        verdict=state.verdict,
        reason=state.reason[:_LONGEST],
        confirmed=state.confirmed,
        outage_at=_instant(state.outage_at),
        expiring_at=_instant(state.expiring_at),
        not_before=_instant(found.not_before) if found else None,
        not_after=_instant(found.not_after) if found else None,
        serial=found.serial[:_LONGEST] if found else "",
        subject=found.subject[:_LONGEST] if found else "",
        issuer=found.issuer[:_LONGEST] if found else "",
        sha256=found.sha256 if found else "",
        san=[name[:_LONGEST_NAME] for name in found.san[:_MOST_NAMES]] if found else [],
        served_sha256=_served(state),
        renewal=renewal[:_LONGEST],
        observed_at=now_ms() if observed_at is None else observed_at,
    )


def _program(witnesses: Witnesses) -> str:
    return witnesses.process.name if isinstance(witnesses.process, Running) else ""


def _served(state: State) -> str:
    """Return the fingerprint of one that is shown and is not the one told of."""
    wire, ours = state.witnesses.wire, state.found.sha256 if state.found else ""
    shown = wire.leaves if isinstance(wire, Shown) else ()
    return next((leaf.sha256 for leaf in shown if leaf.sha256 != ours), "")


def _instant(moment: datetime | None) -> int | None:
    """Return a moment as it travels; there is none before 1970."""
    ms = from_datetime(moment) if moment else -1
    return ms if ms >= 0 else None
