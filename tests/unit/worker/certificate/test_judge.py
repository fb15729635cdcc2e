"""The laws that hold whatever the witnesses of a certificate say."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.certificate import CertificateVerdict as Verdict
from tests.unit.worker.certificate import witnesses as w
from tests.unit.worker.certificate.witnesses import (
    DAY,
    NEW,
    NOW,
    SECOND,
    SELF_SIGNED,
    held,
    leaf,
    running,
)
from worker.certificate.judge import State, Wishes, judge
from worker.certificate.witness import (
    Held,
    KeyStatus,
    ProcessWitness,
    Shown,
    WireWitness,
    Witnesses,
)

BORN = NEW.not_before
EXPIRED = leaf("expired", NOW - 90 * DAY, NOW - DAY)
EARLY = leaf("early", NOW + DAY, NOW + 90 * DAY)
NAMED = Wishes(names=("www.example.com",))


@pytest.mark.parametrize(
    ("life", "within", "notice"),
    [
        (90 * DAY, None, 22.5 * DAY),
        (365 * DAY, None, 30 * DAY),
        (6 * DAY, None, 1.5 * DAY),
        (90 * DAY, 7 * DAY, 7 * DAY),
    ],
)
def test_expiring_begins_in_time_for_its_whole_life(
    life: timedelta, within: timedelta | None, notice: timedelta
) -> None:
    """A tool that renews when a third is left is not told as late."""
    own = leaf("own", NOW - DAY, NOW - DAY + life)
    state = judge(Witnesses(held(own)), Wishes(expiring_within=within), NOW)
    assert state.expiring_at == own.not_after - notice
    for at, verdict in ((-SECOND, Verdict.FRESH), (0 * SECOND, Verdict.EXPIRING)):
        then = judge(Witnesses(held(own)), Wishes(expiring_within=within), state.expiring_at + at)
        assert then.verdict is verdict


def test_certificate_is_good_to_its_very_last_moment() -> None:
    said = Witnesses(held())
    assert judge(said, NAMED, NEW.not_after).verdict is Verdict.EXPIRING
    assert judge(said, NAMED, NEW.not_after + SECOND).verdict is Verdict.EXPIRED
    assert judge(said, NAMED, BORN).verdict is Verdict.FRESH
    assert judge(said, NAMED, BORN - SECOND).verdict is Verdict.NOT_YET_VALID


RANK = [  # the first that applies
    *(Verdict.MISSING, Verdict.UNREADABLE, Verdict.KEY_MISMATCH, Verdict.EXPIRED),
    *(Verdict.NOT_YET_VALID, Verdict.WRONG_NAME, Verdict.UNREACHABLE, Verdict.SPLIT),
    *(Verdict.STALE_IN_MEMORY, Verdict.EXPIRING, Verdict.FRESH),
]


def rank(state: State) -> int:
    return RANK.index(state.verdict)


@given(w.WITNESSES, w.WISHES, w.MOMENTS)
def test_judge_is_total_and_always_gives_a_reason(
    said: Witnesses, wishes: Wishes, now: datetime
) -> None:
    """Whatever is said, at whatever time: a verdict, never a traceback; and the same one again."""
    state = judge(said, wishes, now)
    assert state.reason.strip()
    assert "\n" not in state.reason
    assert state == judge(said, wishes, now)


@given(w.HELD, w.PROCESSES, w.PROCESSES, w.WIRES.filter(bool), w.WISHES)
def test_port_outranks_the_process(
    file: Held, one: ProcessWitness, other: ProcessWitness, wire: WireWitness, wishes: Wishes
) -> None:
    """Once a port was asked, nothing that a process says changes anything."""
    first = judge(Witnesses(file, one, wire), wishes, NOW)
    second = judge(Witnesses(file, other, wire), wishes, NOW)
    assert replace(first, witnesses=second.witnesses) == second
    assert first.confirmed


@given(w.FILES, w.PROCESSES, w.SHOWN, w.WISHES, w.MOMENTS)
def test_outage_is_never_later_than_the_end_of_what_is_shown(
    file: Held | None, process: ProcessWitness, wire: Shown, wishes: Wishes, now: datetime
) -> None:
    """The clock is read off what is served, not off the file."""
    state = judge(Witnesses(file, process, wire), wishes, now)
    assert state.outage_at is not None
    assert state.outage_at <= min(each.not_after for each in wire.leaves)


@given(w.WITNESSES, w.WISHES, w.MOMENTS)
def test_fresh_is_valid_covers_all_names_and_does_not_fail_yet(
    said: Witnesses, wishes: Wishes, now: datetime
) -> None:
    state = judge(said, wishes, now)
    if state.verdict is Verdict.FRESH:
        assert state.certificate
        assert state.certificate.not_before <= now <= state.certificate.not_after
        assert state.expiring_at
        assert now < state.expiring_at
        assert state.outage_at is None or state.outage_at >= now


@given(w.HELD, w.PROCESSES, w.WIRES, w.WISHES)
def test_each_fault_outranks_all_that_come_after_it(
    file: Held, process: ProcessWitness, wire: WireWitness, wishes: Wishes
) -> None:
    """Whatever else is wrong: a fault that comes first is told."""
    sound = replace(file, key=KeyStatus.MATCHES)
    ended = replace(sound, leaf=EXPIRED, chain=())
    early = replace(sound, leaf=EARLY, chain=())
    strict = replace(wishes, names=("nobody.example.net",))

    def verdict(of: Held, wanted: Wishes = wishes) -> Verdict:
        return judge(Witnesses(of, process, wire), wanted, NOW).verdict

    assert verdict(replace(file, key=KeyStatus.MISSING)) is Verdict.MISSING
    assert verdict(replace(file, key=KeyStatus.UNREADABLE)) is Verdict.UNREADABLE
    assert verdict(replace(file, key=KeyStatus.MISMATCH)) is Verdict.KEY_MISMATCH
    assert verdict(ended, strict) is Verdict.EXPIRED
    assert verdict(early, strict) is Verdict.NOT_YET_VALID
    assert verdict(replace(sound, leaf=NEW, chain=()), strict) is Verdict.WRONG_NAME


@given(w.HELD, w.PROCESSES, w.WIRES, w.WISHES)
def test_another_witness_never_makes_a_verdict_milder(
    file: Held, process: ProcessWitness, wire: WireWitness, wishes: Wishes
) -> None:
    """The file alone gives the mildest verdict that is possible."""
    alone = judge(Witnesses(file), wishes, NOW)
    assert rank(judge(Witnesses(file, process, wire), wishes, NOW)) <= rank(alone)


@given(st.integers(-2, 3599), w.WISHES)
@example(-2, Wishes())
def test_process_abstains_between_not_before_and_the_files_change(
    seconds: int, wishes: Wishes
) -> None:
    """An authority may date back: there, the verdict is the file's own, and not confirmed."""
    wishes = replace(wishes, made_here=False)
    said = judge(Witnesses(held(), running(BORN + seconds * SECOND)), wishes, NOW)
    alone = judge(Witnesses(held()), wishes, NOW)
    assert (said.verdict, said.outage_at) == (alone.verdict, alone.outage_at)
    assert not said.confirmed


@given(st.integers(-2, 10**7), w.MOMENTS, w.MOMENTS)
def test_time_of_a_file_never_makes_a_certificate_of_this_host_stale(
    seconds: int, changed_at: datetime, newest: datetime
) -> None:
    """A copy, a chmod or a renewal that was rolled back leaves a healthy agent healthy."""
    file = replace(held(SELF_SIGNED), changed_at=changed_at)
    state = judge(Witnesses(file, running(BORN + seconds * SECOND, newest)), Wishes(), NOW)
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, True)
