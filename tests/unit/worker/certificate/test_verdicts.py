"""Every verdict, in a table: what the witnesses say, and what comes of it."""

from datetime import datetime

import pytest

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
from worker.certificate.judge import Wishes, judge
from worker.certificate.witness import (
    Absent,
    KeyStatus,
    NotRunning,
    Unreached,
    Unreadable,
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
