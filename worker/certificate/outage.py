"""The outage clock: from when on handshakes or uploads fail, by what is served."""

from datetime import datetime

from contract.certificate import CertificateVerdict
from worker.certificate.use import Use
from worker.certificate.witness import Held, Shown, Unreached, Witnesses

_UNUSABLE = frozenset(
    {
        CertificateVerdict.MISSING,
        CertificateVerdict.UNREADABLE,
        CertificateVerdict.KEY_MISMATCH,
    }
)


def outage_at(
    verdict: CertificateVerdict, witnesses: Witnesses, use: Use, now: datetime, *, made_here: bool
) -> datetime | None:
    """Return the moment from which on clients are refused, or None if nobody here can know it."""
    held = witnesses.file if isinstance(witnesses.file, Held) else None
    if isinstance(witnesses.wire, Unreached):
        return now
    if isinstance(witnesses.wire, Shown):
        return _end_of_what_is_shown(witnesses.wire, held, now)
    if held is None or verdict in _UNUSABLE:
        return None
    if verdict is CertificateVerdict.EXPIRED:
        return held.ends_first.not_after
    if verdict is CertificateVerdict.NOT_YET_VALID:
        use = Use.GONE  # nobody takes it yet
    return _by_use(held, use, now, made_here=made_here)


def _by_use(held: Held, use: Use, now: datetime, *, made_here: bool) -> datetime | None:
    if use is Use.GONE:
        return now
    if use is Use.STALE:  # whoever takes uploads refuses the old one from the renewal on
        return held.leaf.not_before if made_here else None
    return held.ends_first.not_after


def _end_of_what_is_shown(wire: Shown, held: Held | None, now: datetime) -> datetime:
    ends = [shown.not_after for shown in wire.leaves]
    if held and any(shown.sha256 == held.leaf.sha256 for shown in wire.leaves):
        ends.append(held.ends_first.not_after)
    if any(shown.not_before > now for shown in wire.leaves):
        ends.append(now)
    return min(ends)
