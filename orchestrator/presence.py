"""Whether a host seems to be there: from the hints and signed times of one moment to a verdict."""

from dataclasses import dataclass
from enum import StrEnum

from contract.presence import SKEW_MS
from orchestrator.health import server_trouble
from orchestrator.store.record import Host, PresenceRecord, ServiceName
from orchestrator.store.store import Store

CONSUMING_PERIODS = 2  # who answered within so many periods consumes its queue
OFFLINE_PERIODS = 10  # of whom nothing came for so many periods is offline


class Presence(StrEnum):
    """What a host seems to be doing. A hint: couriers have no key."""

    CONSUMING = "consuming"  # it answered lately: its courier takes what is in its queue
    SKEWED = "skewed"  # it consumes, but its clock is so far off that it refuses orders
    SILENT = "silent"  # it was heard not long ago, and does not answer now
    OFFLINE = "offline"  # nothing has come from it for long, or never
    UNKNOWN = "unknown"  # nobody can tell: the server or the broker is down, or just began to ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What is known of one host at one moment. Moments are ms since 1970, by our clock."""

    record: PresenceRecord
    last_signed_at: int | None
    now: int
    period_ms: int
    trouble: str  # what keeps the server from asking or hearing; empty if nothing does
    hearing_since: int  # when the recorder started


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a host seems to be doing, and why we think so."""

    presence: Presence
    record: PresenceRecord
    detail: str = ""
    skew_ms: int = 0  # its clock less ours, at least
    skew_is_signed: bool = False


def judge(seen: Sighting) -> Verdict:
    """Return what a sighting means."""
    record = seen.record
    if seen.trouble:
        return _verdict(seen, Presence.UNKNOWN, f"nobody can tell: {seen.trouble}")
    if _is_within(seen, record.answered_at, CONSUMING_PERIODS):
        return _consuming(seen)
    waiting_since = max(record.open_since or seen.now, seen.hearing_since)
    if seen.now - waiting_since < seen.period_ms:
        return _verdict(seen, Presence.UNKNOWN, "it was asked only now")
    heard = (record.answered_at, seen.last_signed_at)
    if not any(_is_within(seen, moment, OFFLINE_PERIODS) for moment in heard):
        return _verdict(seen, Presence.OFFLINE, _why(record))
    return _verdict(seen, Presence.SILENT, _why(record))


def verdicts(store: Store, hosts: list[Host], period_ms: int, now: int) -> dict[str, Verdict]:
    """Return the verdict on each of some hosts, by name. Raises StoreError."""
    trouble = "; ".join(server_trouble(store, now))
    recorder = store.services.get(ServiceName.RECORDER)
    records = store.presences.all()
    return {
        host.name: judge(
            Sighting(
                record=records.get(host.name) or PresenceRecord(host=host.name),
                last_signed_at=host.last_signed_at,
                now=now,
                period_ms=period_ms,
                trouble=trouble,
                hearing_since=recorder.started_at if recorder else now,
            )
        )
        for host in hosts
    }


def _is_within(seen: Sighting, moment: int | None, periods: int) -> bool:
    return moment is not None and seen.now - moment <= periods * seen.period_ms


def _consuming(seen: Sighting) -> Verdict:
    skew_ms, is_signed = _skew(seen.record)
    if abs(skew_ms) > SKEW_MS:
        side = "ahead" if skew_ms > 0 else "behind"
        source = "a signed letter" if is_signed else "its unsigned word"
        detail = f"its clock is {side} by at least {abs(skew_ms) // 1000} s, by {source}"
        return _verdict(seen, Presence.SKEWED, detail)
    detail = "" if seen.record.taking else "its executor does not take the letters that came"
    return _verdict(seen, Presence.CONSUMING, detail)


def _skew(record: PresenceRecord) -> tuple[int, bool]:
    """Return the newest that is known of a host's clock, and whether it was signed."""
    signed_at, answered_at = record.signed_skew_at or 0, record.answered_at or 0
    if signed_at >= answered_at:
        return record.signed_skew_ms, record.signed_skew_at is not None
    return record.skew_ms, False


def _why(record: PresenceRecord) -> str:
    if record.lying:
        return "what is in its queue lies unfetched"
    return "its queue was emptied, but nothing answers"


def _verdict(seen: Sighting, presence: Presence, detail: str) -> Verdict:
    skew_ms, is_signed = _skew(seen.record)
    return Verdict(
        presence=presence,
        record=seen.record,
        detail=detail,
        skew_ms=skew_ms,
        skew_is_signed=is_signed,
    )
