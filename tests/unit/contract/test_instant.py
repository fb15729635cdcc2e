"""Moments: whole milliseconds on the wire, RFC 3339 for people."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instant import from_datetime, now_ms, show_instant, to_datetime


@given(st.integers(0, 253_402_300_799_000))
def test_instant_to_datetime_and_back_is_the_same_to_the_millisecond(ms: int) -> None:
    assert from_datetime(to_datetime(ms)) == ms


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00Z"),
        (datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=UTC), "2026-03-01T12:00:00.005Z"),
        (datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T12:00:00Z"),
    ],
)
def test_instant_shown_is_rfc_3339_in_utc(moment: datetime, shown: str) -> None:
    assert show_instant(moment) == shown


def test_now_is_the_wall_clock_in_milliseconds() -> None:
    assert abs(now_ms() - datetime.now(UTC).timestamp() * 1000) < 5000
