"""The verdict on a host's presence: a table of what is known and what may be said."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from orchestrator.presence import Presence, Sighting, judge
from orchestrator.store.presences import skew_between
from orchestrator.store.record import PresenceRecord

NOW = 1_800_000_000_000
PERIOD = 60_000
LONG_AGO = NOW - 3_600_000
RECORD = PresenceRecord(host="web1")
SEEN = Sighting(
    record=RECORD,
    last_signed_at=None,
    now=NOW,
    period_ms=PERIOD,
    trouble="",
    hearing_since=LONG_AGO,
)
ANSWERED = {"answered_at": NOW - 30_000}
UNANSWERED = {"open_since": NOW - 3 * PERIOD, "answered_at": NOW - 4 * PERIOD}


def seen(record: dict[str, Any], **changes: Any) -> Sighting:
    return replace(SEEN, record=structs.replace(RECORD, **record), **changes)


@pytest.mark.parametrize(
    ("sighting", "presence", "detail"),
    [
        (seen(ANSWERED), Presence.CONSUMING, ""),
        (seen({**ANSWERED, "open_since": NOW}), Presence.CONSUMING, ""),
        (seen({"answered_at": NOW - 2 * PERIOD}), Presence.CONSUMING, ""),
        (seen({**ANSWERED, "taking": False}), Presence.CONSUMING, "executor does not take"),
        (
            seen({**ANSWERED, "skew_ms": -61_000}),
            Presence.SKEWED,
            "behind by at least 61 s, by its",
        ),
        (seen({**ANSWERED, "skew_ms": 60_000}), Presence.CONSUMING, ""),
        (
            seen({**ANSWERED, "signed_skew_ms": 90_000, "signed_skew_at": NOW}),
            Presence.SKEWED,
            "ahead by at least 90 s, by a signed letter",
        ),
        (
            seen({**ANSWERED, "signed_skew_ms": 90_000, "signed_skew_at": LONG_AGO}),
            Presence.CONSUMING,  # its clock was set right since
            "",
        ),
        (seen(UNANSWERED), Presence.SILENT, "its queue was emptied, but nothing answers"),
        (seen({**UNANSWERED, "lying": 2}), Presence.SILENT, "what is in its queue lies unfetched"),
        (seen({"open_since": LONG_AGO}, last_signed_at=NOW), Presence.SILENT, "nothing answers"),
        (seen({"open_since": LONG_AGO}), Presence.OFFLINE, ""),
        (
            seen({"open_since": LONG_AGO, "lying": 1, "answered_at": NOW - 11 * PERIOD}),
            Presence.OFFLINE,
            "lies unfetched",
        ),
        (seen({}), Presence.UNKNOWN, "asked only now"),
        (seen({"open_since": NOW - 59_000}), Presence.UNKNOWN, "asked only now"),
        (seen(UNANSWERED, hearing_since=NOW - 5_000), Presence.UNKNOWN, "asked only now"),
        (seen(ANSWERED, trouble="no server is running"), Presence.UNKNOWN, "no server is running"),
        (seen(UNANSWERED, trouble="no broker"), Presence.UNKNOWN, "nobody can tell: no broker"),
    ],
)
def test_verdict_is_what_the_facts_allow(
    sighting: Sighting, presence: Presence, detail: str
) -> None:
    verdict = judge(sighting)
    assert verdict.presence is presence
    assert detail in verdict.detail


def test_old_skew_of_a_host_that_is_gone_does_not_hide_that_it_is_gone() -> None:
    verdict = judge(seen({**UNANSWERED, "skew_ms": 500_000}))
    assert verdict.presence is Presence.SILENT
    assert verdict.skew_ms == 500_000


@given(st.integers(-(10**7), 10**7), st.integers(0, 10**6), st.integers(0, 10**6))
def test_skew_is_never_claimed_beyond_what_two_moments_of_ours_prove(
    skew: int, way: int, back: int
) -> None:
    """However long question and answer were under way."""
    found = skew_between(NOW + way + skew, NOW, NOW + way + back)
    assert abs(found) <= abs(skew)
    assert found == 0 or (found > 0) == (skew > 0)
