"""Patterns: what fits, what is refused, and that none of them takes for ever."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.pattern import Pattern, PatternError, complaint_about_pattern
from tests.deadline import ends

CATASTROPHIC = {
    "(a+)+$": "a" * 4000 + "!",
    "(a|a)*b": "a" * 4000,
    "(a|aa)+$": "a" * 4000 + "!",
    "(.*)*,": "a" * 4000,
    "(x+x+)+y": "x" * 4000,
    r"^(\w+\s?)*\.$": "word " * 1000,
    r"([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*@": "a" * 4000,
    "(a?){500}a{500}": "a" * 499,
}
UNSUPPORTED = {
    "a(?=b)": "look-ahead is not supported",
    "a(?!b)": "look-ahead is not supported",
    "(?<=a)b": "look-behind is not supported",
    "(?<!a)b": "look-behind is not supported",
    r"(a)\1": "back references are not supported",
    "(?P<x>a)(?P=x)": "back references are not supported",
    r"a\Z": r"write \z for the end of the text",
    r"\pL{64}": "it repeats too much",
    "((a{100}){100}){100}": "repetition size",
    "a{99999999999999999999}": "{99999999999999999999} repeats nothing",
    "a{,3}": "{,3} repeats nothing; write {0,9}",
    "(a++)": "repetition operator",
    "[a": "missing ]",
    "(": "missing )",
}


def try_all(patterns: dict[str, str]) -> None:
    for text, value in patterns.items():
        Pattern(text).fits(value)
        Pattern(text).find(value)


def test_catastrophic_patterns_end_at_once() -> None:
    """Each is famous for holding up a matcher that goes back and tries again."""
    assert ends(try_all, CATASTROPHIC)


def test_catastrophic_pattern_holds_up_python_s_own_matcher() -> None:
    """The deadline can be missed: this is what the patterns did before."""
    assert not ends(re.fullmatch, "(a+)+$", "a" * 60 + "!", within=2)


@pytest.mark.parametrize("text", UNSUPPORTED)
def test_pattern_that_rests_on_more_than_linear_time_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(PatternError, match=f"^is not a regular .*{re.escape(UNSUPPORTED[text])}"):
        Pattern(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("b", "b"), ("a(b)c", "b"), ("(x)?b", ""), ("[b-d]+", "bcd"), ("^b", None), ("", "")],
)
def test_find_returns_the_first_group_or_all_of_it(text: str, found: str | None) -> None:
    assert Pattern(text).find("abcd") == found


def test_pattern_fits_only_the_whole_text() -> None:
    assert Pattern("a|ab").fits("ab")
    assert not Pattern("a").fits("ab")
    assert not Pattern("a$").fits("a\n")
    assert not Pattern(".*").fits("a\nb")


def test_pattern_takes_letters_of_every_script_and_names_that_are_no_text() -> None:
    assert Pattern("größe|伝令").fits("伝令")
    assert Pattern(".").fits("伝")
    assert Pattern(r"[{,3}]\{,3\}").fits("3{,3}")
    assert Pattern(r"bad.*\.pem").fits("bad\udcff.pem")
    assert Pattern(r"\C").find("é") == "\\xc3"


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_pattern_or_is_complained_of(text: str, value: str) -> None:
    if complaint_about_pattern(text):
        with pytest.raises(PatternError):
            Pattern(text)
    else:
        assert Pattern(text).fits(value) in (True, False)


@given(st.text("ab.*+?|()[]{}0123,^$\\dws-", max_size=20), st.text("ab01 -", max_size=20))
def test_what_python_and_re2_both_take_means_the_same(text: str, value: str) -> None:
    """Of plain values: no pattern of Python's changes its meaning unnoticed."""
    try:
        python = re.compile(text, re.ASCII)
    except (re.error, OverflowError, FutureWarning):
        return
    if complaint_about_pattern(text):
        return
    assert Pattern(text).fits(value) is (python.fullmatch(value) is not None)
