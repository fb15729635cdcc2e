"""Durations: what people may write, and what they read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.duration import DurationError, is_duration, parse_duration, show_duration

READ = {
    "0s": 0.0,
    "250ms": 0.25,
    "30s": 30.0,
    "1.5m": 90.0,
    "1h30m": 5400.0,
    "60d": 5_184_000.0,
    "2w": 1_209_600.0,
}
NOT_READ = ("", "30", "s", "-3s", "3 s", "3S", "1h 30m", "3s\n", "1e3s", ".5s", "5.s", "∞s", "1y")


@pytest.mark.parametrize("text", READ)
def test_duration_as_people_write_it_is_read(text: str) -> None:
    assert parse_duration(text).total_seconds() == READ[text]
    assert is_duration(text)


@pytest.mark.parametrize("text", NOT_READ)
def test_duration_of_no_known_form_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DurationError, match="such as 30s, 5m or 60d"):
        parse_duration(text)
    assert not is_duration(text)


def test_duration_of_more_than_a_century_is_refused() -> None:
    assert parse_duration("36500d") == timedelta(days=36500)
    with pytest.raises(DurationError, match="longer than 100 years"):
        parse_duration("36500d1ms")


def test_duration_of_hostile_length_is_refused_unread() -> None:
    for text in ("9" * 1_000_000 + "s", "1s" * 21, "9" * 41):
        with pytest.raises(DurationError):
            parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (0.25, "0.25s"), (-3, "-3s"), (90, "1m30s"), (86_400, "1d"), (90_061, "1d1h1m1s")],
)
def test_duration_shown_uses_the_largest_units(seconds: float, shown: str) -> None:
    assert show_duration(timedelta(seconds=seconds)) == shown


@given(st.integers(0, 10**9))
def test_duration_shown_and_read_again_is_the_same(seconds: int) -> None:
    value = timedelta(seconds=seconds)
    assert parse_duration(show_duration(value)) == value


@given(st.text(alphabet="0123456789.smhdw ", max_size=50))
def test_duration_of_any_text_is_read_or_refused_by_name(text: str) -> None:
    """Whatever is written, there is a duration or a DurationError."""
    assert is_duration(text) in (True, False)
