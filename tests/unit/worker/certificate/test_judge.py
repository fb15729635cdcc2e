"""The verdict: each in a table, and the laws that hold whatever the witnesses say."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.certificate import CertificateVerdict as Verdict
from tests.unit.worker.certificate import witnesses as w
from tests.unit.worker.certificate.witnesses import (
    CHANGED,
    DAY,
    HOUR,
    NEW,
    NOW,
    OLD,
    SECOND,
    SELF_SIGNED,
    held,
    leaf,
    running,
    shown,
)
from worker.certificate.judge import State, Wishes, judge
from worker.certificate.witness import (
    Absent,
    Held,
    KeyStatus,
    NotRunning,
    ProcessWitness,
    Shown,
    Unreached,
    Unreadable,
    WireWitness,
    Witnesses,
)

BORN = NEW.not_before
REFUSED = Unreached(w.PORT, "connection refused")
EXPIRED = leaf("expired", NOW - 90 * DAY, NOW - DAY)
EARLY = leaf("early", NOW + DAY, NOW + 90 * DAY)
ENDING = leaf("ending", NOW - 80 * DAY, NOW + 10 * DAY)
SIGNER = leaf("signer", NOW - 900 * DAY, NOW - HOUR)
ON_OLD = running(BORN - DAY)
NAMED = Wishes(names=("www.example.com",))
ELSEWHERE = Wishes(names=("mail.example.com",))
HERE = Wishes(made_here=True)

# Statements and wishes -> verdict, confirmed, outage, and words of the reason.
Row = tuple[Witnesses, Wishes, Verdict, bool, datetime | None, str]
TABLE: dict[str, Row] = {
    "file alone": (Witnesses(held()), NAMED, Verdict.FRESH, False, NEW.not_after, "neither"),
    "no file": (Witnesses(Absent("/c")), NAMED, Verdict.MISSING, False, None, "/c is not there"),
    "no file, still shown": (
        Witnesses(Absent("/c"), None, shown(OLD)),
        NAMED,
        *(
            Verdict.MISSING,
            True,
            OLD.not_after,
            "still shows one, valid until 2026-11-30T12:00:00Z",
        ),
    ),
    "no file, nothing shown": (
        Witnesses(Absent("/c"), None, REFUSED),
        NAMED,
        Verdict.MISSING,
        True,
        NOW,
        "refused",
    ),
    "empty file": (
        Witnesses(Unreadable("/c is empty")),
        NAMED,
        Verdict.UNREADABLE,
        False,
        None,
        "is empty",
    ),
    "no key": (
        Witnesses(held(NEW, KeyStatus.MISSING)),
        NAMED,
        Verdict.MISSING,
        False,
        None,
        "the key",
    ),
    "damaged key": (
        Witnesses(held(NEW, KeyStatus.UNREADABLE)),
        *(NAMED, Verdict.UNREADABLE, False, None, "the key"),
    ),
    "another's key": (
        Witnesses(held(NEW, KeyStatus.MISMATCH)),
        *(NAMED, Verdict.KEY_MISMATCH, False, None, "the key"),
    ),
    "another's key, the old pair shown": (
        Witnesses(held(NEW, KeyStatus.MISMATCH), None, shown(OLD)),
        *(NAMED, Verdict.KEY_MISMATCH, True, OLD.not_after, "the key"),
    ),
    "encrypted key": (
        Witnesses(held(NEW, KeyStatus.ENCRYPTED)),
        *(NAMED, Verdict.FRESH, False, NEW.not_after, "the key is encrypted"),
    ),
    "expired": (
        Witnesses(held(EXPIRED)),
        *(NAMED, Verdict.EXPIRED, False, EXPIRED.not_after, "ended at 2026-11-24T12:00:00Z"),
    ),
    "expired signer": (
        Witnesses(held(NEW, KeyStatus.NOT_ASKED, SIGNER)),
        *(NAMED, Verdict.EXPIRED, False, SIGNER.not_after, "of its chain ended"),
    ),
    "expired, a good one shown": (
        Witnesses(held(EXPIRED), None, shown(NEW)),
        *(NAMED, Verdict.EXPIRED, True, NEW.not_after, "shows a newer certificate"),
    ),
    "not yet valid": (
        Witnesses(held(EARLY)),
        NAMED,
        Verdict.NOT_YET_VALID,
        False,
        NOW,
        "2026-11-26T12:00:00Z",
    ),
    "wanted name missing": (
        Witnesses(held()),
        *(ELSEWHERE, Verdict.WRONG_NAME, False, NEW.not_after, "not cover mail.example.com, but"),
    ),
    "a stranger's port": (
        Witnesses(held(), None, shown(w.FOREIGN)),
        *(NAMED, Verdict.WRONG_NAME, True, w.FOREIGN.not_after, "shares no name"),
    ),
    "port refuses": (
        Witnesses(held(), None, REFUSED),
        NAMED,
        Verdict.UNREACHABLE,
        True,
        NOW,
        "refused",
    ),
    "nothing runs": (
        Witnesses(held(), NotRunning("pid file /p")),
        *(NAMED, Verdict.UNREACHABLE, True, NOW, "no process runs: pid file /p"),
    ),
    "some workers on the old one": (
        Witnesses(held(), None, shown(NEW, OLD, NEW)),
        *(NAMED, Verdict.SPLIT, True, OLD.not_after, "1 of 3 handshakes"),
    ),
    "port on the old one": (
        Witnesses(held(), running(NOW), shown(OLD)),
        *(NAMED, Verdict.STALE_IN_MEMORY, True, OLD.not_after, "shows an older certificate"),
    ),
    "port on an expired one": (
        Witnesses(held(), None, shown(EXPIRED)),
        *(NAMED, Verdict.STALE_IN_MEMORY, True, EXPIRED.not_after, "to 2026-11-24T12:00:00Z"),
    ),
    "port on one newer than the file": (
        Witnesses(held(), None, shown(w.NEWER)),
        *(NAMED, Verdict.STALE_IN_MEMORY, True, w.NEWER.not_after, "shows a newer certificate"),
    ),
    "port on the file's": (
        Witnesses(held(), ON_OLD, shown(NEW)),
        *(NAMED, Verdict.FRESH, True, NEW.not_after, "127.0.0.1:443 shows it"),
    ),
    "process older than an authority's": (
        Witnesses(held(), ON_OLD),
        *(NAMED, Verdict.STALE_IN_MEMORY, True, None, "before it was made at 2026-11-15T12:00:00Z"),
    ),
    "process older than the agent's own": (
        Witnesses(held(SELF_SIGNED), ON_OLD),
        *(Wishes(), Verdict.STALE_IN_MEMORY, True, BORN, "started at 2026-11-14T12:00:00Z, before"),
    ),
    "agent that restarts in the very second": (
        Witnesses(held(SELF_SIGNED), running(BORN - SECOND)),
        *(Wishes(), Verdict.FRESH, True, NEW.not_after, "not before it was made"),
    ),
    "agent younger than notBefore, file touched since": (
        Witnesses(held(SELF_SIGNED), running(BORN + 60 * SECOND)),
        *(Wishes(), Verdict.FRESH, True, NEW.not_after, "not before it was made"),
    ),
    "made here by wish": (
        Witnesses(held(), running(BORN + 60 * SECOND)),
        *(HERE, Verdict.FRESH, True, NEW.not_after, "not before it was made"),
    ),
    "process between notBefore and the file": (
        Witnesses(held(), running(BORN + 60 * SECOND)),
        *(NAMED, Verdict.FRESH, False, NEW.not_after, "its port would tell"),
    ),
    "process younger than the file": (
        Witnesses(held(), running(CHANGED)),
        *(NAMED, Verdict.FRESH, True, NEW.not_after, "after the file was changed last"),
    ),
    "process reloaded by systemd": (
        Witnesses(held(), running(BORN - DAY, BORN - DAY, CHANGED + HOUR)),
        *(NAMED, Verdict.FRESH, True, NEW.not_after, "reloaded at 2026-11-15T14:00:00Z"),
    ),
    "old process with a young child": (
        Witnesses(held(), running(BORN - DAY, NOW - HOUR)),
        *(NAMED, Verdict.FRESH, False, NEW.not_after, "a younger process below it"),
    ),
    "near its end": (
        Witnesses(held(ENDING)),
        *(NAMED, Verdict.EXPIRING, False, ENDING.not_after, "ends in 10d, at 2026-12-05T12:00:00Z"),
    ),
    "port alone": (
        Witnesses(None, None, shown(NEW)),
        NAMED,
        Verdict.FRESH,
        True,
        NEW.not_after,
        "shows it",
    ),
    "port alone, in two ways": (
        Witnesses(None, None, shown(NEW, OLD)),
        *(NAMED, Verdict.SPLIT, True, OLD.not_after, "1 of 2 handshakes"),
    ),
    "silent port alone": (
        Witnesses(None, None, REFUSED),
        NAMED,
        Verdict.UNREACHABLE,
        True,
        NOW,
        "shows no certificate",
    ),
    "nobody asked": (Witnesses(), NAMED, Verdict.UNREACHABLE, False, None, "neither a file nor"),
}


@pytest.mark.parametrize("case", TABLE)
def test_verdict_of_what_the_witnesses_say(case: str) -> None:
    said, wishes, verdict, confirmed, outage, words = TABLE[case]
    state = judge(said, wishes, NOW)
    assert (state.verdict, state.confirmed, state.outage_at) == (verdict, confirmed, outage)
    assert words in state.reason


def test_table_has_every_verdict() -> None:
    assert {row[2] for row in TABLE.values()} == set(Verdict)


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
