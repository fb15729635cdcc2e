"""When schedules are due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.instant import from_datetime, to_datetime
from orchestrator.timing import Cron, Every, Timing, TimingError, check_cron

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(min_value=1_600_000_000_000, max_value=2_000_000_000_000)
TIMINGS = st.sampled_from(
    [
        Every(timedelta(seconds=1)),
        Every(timedelta(hours=7)),
        Cron("*/15 * * * *", "Europe/Berlin"),
        Cron("30 2 * * *", "Europe/Berlin"),
        Cron("0 0 1 * *", "America/New_York"),
        Cron("5 4 * * 1-5", "UTC"),
    ]
)


@given(TIMINGS, MOMENTS)
@example(Cron("0 0 1 * *", "America/New_York"), 1_846_008_000_002)
def test_timing_next_moment_is_later_and_nothing_is_due_before_it(
    timing: Timing, moment: int
) -> None:
    """Whoever asks between two due moments gets the same answer: so two beats agree."""
    slot = timing.slot_after(moment)
    assert slot > moment
    assert timing.slot_after((moment + slot) // 2) == slot


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # gap
        (datetime(2026, 10, 24, 12, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 7, 1, 12, tzinfo=BERLIN), datetime(2026, 7, 2, 0, 30, tzinfo=UTC)),
    ],
)
def test_cron_where_clocks_change_fires_once(after: datetime, due: datetime) -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")
    slot = cron.slot_after(from_datetime(after))
    assert to_datetime(slot) == due
    assert cron.slot_after(slot) - slot >= 22 * 3_600_000


@pytest.mark.parametrize(
    ("text", "zone", "message"),
    [
        ("* * * *", "UTC", "4 fields"),
        ("61 * * * *", "UTC", "61"),
        ("0 0 31 2 *", "UTC", "not minute, hour"),
        ("* * * * *", "Mars/Base", "unknown time zone"),
        ("every day at noon ok", "UTC", "not minute, hour"),
    ],
)
def test_cron_that_can_never_be_due_is_refused(text: str, zone: str, message: str) -> None:
    with pytest.raises(TimingError, match=message):
        check_cron(text, zone)
