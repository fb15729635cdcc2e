"""Windows of hours, by the host's own clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.hours import HoursError, parse_window

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("08:00-18:00", [8, 17.9, 24 * 6 + 8], [7.9, 18, 23]),
        ("Mon-Fri 08:00-18:00", [8, 24 * 4 + 17], [24 * 5 + 9, 24 * 6 + 9, 4 * 24 + 18]),
        ("Sat-Mon 08:00-18:00", [8, 24 * 5 + 9, 24 * 6 + 9], [24 + 9, 24 * 4 + 9]),
        ("Sat 08:00-24:00", [24 * 5 + 23.9], [24 * 6, 24 * 4 + 12]),
        ("Mon 22:00-06:00", [22, 24, 29.9], [5, 21, 30, 24 + 22]),
        ("Sun 22:00-06:00", [0, 5.9, 24 * 6 + 22], [6, 22, 24 * 6 + 5]),
    ],
)
def test_window_holds_what_is_inside_and_nothing_else(
    text: str, inside: list[float], outside: list[float]
) -> None:
    """Hours past midnight belong to the day on which the window began."""
    window = parse_window(text)
    for hours in inside:
        assert window.holds(MONDAY + timedelta(hours=hours)), hours
    for hours in outside:
        assert not window.holds(MONDAY + timedelta(hours=hours)), hours


@pytest.mark.parametrize(
    "text",
    ["", "8-18", "8:00-18:00", "mon 08:00-18:00", "Mon-Fri", "24:00-06:00", "Mon,Tue 08:00-18:00"],
)
def test_text_that_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(HoursError):
        parse_window(text)


@given(st.integers(0, 7 * 24 * 60 - 1))
def test_every_minute_is_by_day_or_by_night(minute: int) -> None:
    moment = MONDAY + timedelta(minutes=minute)
    day, night = parse_window("06:00-22:00"), parse_window("22:00-06:00")
    assert day.holds(moment) != night.holds(moment)
