"""What hosts send never acts on the terminal that shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli.visible import show_value, visible, visible_lines


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain Ünïcödé 伝令", "plain Ünïcödé 伝令"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half\ud800", "half\\ud800"),
    ],
)
def test_visible_acting_characters_are_spelt_out(raw: str, shown: str) -> None:
    """Each character that could move, hide or reorder text is written as its escape."""
    assert visible(raw) == shown


@given(st.text())
def test_visible_any_text_is_one_printable_line(raw: str) -> None:
    """Whatever comes in, no control character and no second line comes out."""
    shown = visible(raw)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert len(shown.splitlines()) <= 1


def test_visible_lines_long_output_loses_its_middle() -> None:
    """Head and tail of a long output stay; how much is missing is told."""
    lines = visible_lines("\n".join(f"line {n}" for n in range(1000)))
    assert lines[0] == "line 0"
    assert lines[-1] == "line 999"
    assert "… 600 lines left out …" in lines


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (None, "-"),
        (3, "3"),
        (["a", False], "[a, false]"),
        ({"k": "\x1b"}, "{k: \\x1b}"),
    ],
)
def test_show_value_reads_as_a_person_writes(value: object, shown: str) -> None:
    """Observed values look as they do in a runbook."""
    assert show_value(value) == shown
