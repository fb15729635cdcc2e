"""The verdict on a certificate: a pure function of what its witnesses said, and of the moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contract.certificate import CertificateVerdict
from contract.duration import show_duration
from contract.instant import show_instant
from worker.certificate.description import Certificate
from worker.certificate.name import covers, names_of, share_a_name
from worker.certificate.outage import outage_at
from worker.certificate.use import Usage, Use, usage_by_process, usage_of_port
from worker.certificate.witness import (
    Absent,
    Held,
    KeyStatus,
    NotRunning,
    Shown,
    Unreached,
    Unreadable,
    Witnesses,
)

_LONGEST_NOTICE = timedelta(days=30)
_SHARE_OF_LIFE = 4  # a tool that renews when a third is left is not late yet


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of a certificate."""

    names: tuple[str, ...] = ()  # that it must cover
    made_here: bool | None = None  # on this host, not by an authority; None: if it is self-signed
    expiring_within: timedelta | None = None  # None: a quarter of its life, at most 30 days


@dataclass(frozen=True, slots=True)
class State:
    """The verdict on a certificate, and all that it is based on."""

    verdict: CertificateVerdict
    reason: str
    confirmed: bool  # a process or a port was asked, and could tell
    outage_at: datetime | None  # from when on handshakes or uploads fail, if that is known
    expiring_at: datetime | None
    certificate: Certificate | None  # the file's; where no file was asked, the one shown
    witnesses: Witnesses

    @property
    def found(self) -> Certificate | None:
        """Return what there is to tell of: where the file holds none, the one that is shown."""
        wire = self.witnesses.wire
        return self.certificate or (wire.leaves[0] if isinstance(wire, Shown) else None)


_Finding = tuple[CertificateVerdict, str]


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rules look at."""

    held: Held
    witnesses: Witnesses
    wishes: Wishes
    usage: Usage
    now: datetime

    @property
    def leaf(self) -> Certificate:
        return self.held.leaf

    @property
    def aside(self) -> str:
        """What was found out about use, where the verdict does not rest on it."""
        return f"; {self.usage.why}" if self.usage.is_confirmed else ""

    @property
    def asides(self) -> str:
        """What is odd, and keeps nothing from working."""
        notes = [self.held.key_note, self.held.note]
        return "".join(f"; {note}" for note in notes if note)

    @property
    def expiring_at(self) -> datetime:
        within = self.wishes.expiring_within
        life = self.leaf.not_after - self.leaf.not_before
        notice = min(_LONGEST_NOTICE, life / _SHARE_OF_LIFE) if within is None else within
        return _earlier(self.held.ends_first.not_after, notice)


def judge(witnesses: Witnesses, wishes: Wishes, now: datetime) -> State:
    """Return the verdict: the first rule that finds something wrong gives it."""
    match witnesses:
        case Witnesses(file=Held() as held):
            return _judge_held(held, witnesses, wishes, now)
        case Witnesses(file=None, wire=Shown(leaves=(first, *_))):
            return _judge_held(Held(first, (), now), witnesses, wishes, now)
        case Witnesses(file=Absent(path)):
            verdict, why = CertificateVerdict.MISSING, f"{path} is not there"
        case Witnesses(file=Unreadable(said)):
            verdict, why = CertificateVerdict.UNREADABLE, said
        case Witnesses(wire=Unreached() as wire):
            return _judge_nothing(CertificateVerdict.UNREACHABLE, _silence(wire), witnesses, now)
        case _:
            verdict, why = CertificateVerdict.UNREACHABLE, "neither a file nor a port was asked"
    return _judge_nothing(verdict, why + _still(witnesses), witnesses, now)


def _judge_nothing(
    verdict: CertificateVerdict, why: str, witnesses: Witnesses, now: datetime
) -> State:
    """Judge where no certificate could be read from the file."""
    wire = witnesses.wire
    return State(
        verdict=verdict,
        reason=why,
        confirmed=wire is not None or isinstance(witnesses.process, NotRunning),
        outage_at=outage_at(verdict, witnesses, Use.NOT_ASKED, now, made_here=False),
        expiring_at=None,
        certificate=None,
        witnesses=witnesses,
    )


def _judge_held(held: Held, witnesses: Witnesses, wishes: Wishes, now: datetime) -> State:
    made_here = held.leaf.is_self_signed if wishes.made_here is None else wishes.made_here
    usage = _usage(witnesses, held, made_here=made_here)
    case = _Case(held, witnesses, wishes, usage, now)
    verdict, reason = next(found for rule in _RULES if (found := rule(case)))
    return State(
        verdict=verdict,
        reason=reason,
        confirmed=usage.is_confirmed,
        outage_at=outage_at(verdict, witnesses, usage.use, now, made_here=made_here),
        expiring_at=case.expiring_at,
        certificate=held.leaf,
        witnesses=witnesses,
    )


def _usage(witnesses: Witnesses, held: Held, *, made_here: bool) -> Usage:
    """The port outranks the process: what is shown is what clients get."""
    wire, process = witnesses.wire, witnesses.process
    if wire:
        shown = wire.leaves if isinstance(wire, Shown) else ()
        return usage_of_port(wire, held, related=any(share_a_name(held.leaf, x) for x in shown))
    if process:
        return usage_by_process(process, held, made_here=made_here)
    return Usage(Use.NOT_ASKED, "neither a process nor a port was asked")


def _key(case: _Case) -> _Finding | None:
    verdicts = {
        KeyStatus.MISSING: CertificateVerdict.MISSING,
        KeyStatus.UNREADABLE: CertificateVerdict.UNREADABLE,
        KeyStatus.UNSEEN: CertificateVerdict.UNREADABLE,
        KeyStatus.MISMATCH: CertificateVerdict.KEY_MISMATCH,
    }
    found = verdicts.get(case.held.key)
    return (found, case.held.key_note) if found else None


def _expired(case: _Case) -> _Finding | None:
    first = case.held.ends_first
    if case.now <= first.not_after:
        return None
    whose = "it" if first is case.leaf else f"{first.subject or 'an authority'} of its chain"
    why = f"{whose} ended at {show_instant(first.not_after)}{case.aside}"
    return CertificateVerdict.EXPIRED, why


def _not_yet_valid(case: _Case) -> _Finding | None:
    if case.leaf.not_before <= case.now:
        return None
    why = f"it is not valid before {show_instant(case.leaf.not_before)}{case.aside}"
    return CertificateVerdict.NOT_YET_VALID, why


def _wrong_name(case: _Case) -> _Finding | None:
    missing = [name for name in case.wishes.names if not covers(case.leaf, name)]
    if missing:
        good = ", ".join(names_of(case.leaf)) or "no name at all"
        return CertificateVerdict.WRONG_NAME, f"it does not cover {', '.join(missing)}, but {good}"
    if case.usage.use is Use.FOREIGN:
        why = f"{case.usage.why}, which shares no name with the one in the file"
        return CertificateVerdict.WRONG_NAME, why
    return None


def _unreachable(case: _Case) -> _Finding | None:
    return (CertificateVerdict.UNREACHABLE, case.usage.why) if case.usage.use is Use.GONE else None


def _split(case: _Case) -> _Finding | None:
    return (CertificateVerdict.SPLIT, case.usage.why) if case.usage.use is Use.SPLIT else None


def _stale(case: _Case) -> _Finding | None:
    if case.usage.use is not Use.STALE:
        return None
    return CertificateVerdict.STALE_IN_MEMORY, case.usage.why


def _expiring(case: _Case) -> _Finding | None:
    if case.now < case.expiring_at:
        return None
    end = case.held.ends_first.not_after
    left = show_duration(timedelta(minutes=(end - case.now) // timedelta(minutes=1)))
    why = f"it ends in {left}, at {show_instant(end)}; {case.usage.why}{case.asides}"
    return CertificateVerdict.EXPIRING, why


def _fresh(case: _Case) -> _Finding:
    end = show_instant(case.held.ends_first.not_after)
    return CertificateVerdict.FRESH, f"it is valid until {end}; {case.usage.why}{case.asides}"


_RULES: tuple[Callable[[_Case], _Finding | None], ...] = (
    _key,
    _expired,
    _not_yet_valid,
    _wrong_name,
    _unreachable,
    _split,
    _stale,
    _expiring,
    _fresh,
)


def _silence(wire: Unreached) -> str:
    return f"{wire.endpoint} shows no certificate: {wire.why}"


def _still(witnesses: Witnesses) -> str:
    """Say what the port shows although the file holds nothing."""
    match witnesses.wire:
        case Shown(endpoint, leaves):
            end = min(leaf.not_after for leaf in leaves)
            return f"; {endpoint} still shows one, valid until {show_instant(end)}"
        case Unreached() as wire:
            return f"; {_silence(wire)}"
    return ""


def _earlier(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment - span
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
