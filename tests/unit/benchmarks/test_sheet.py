"""The table of a result, as people read it."""

import pytest

from benchmarks.figure import figure
from benchmarks.result import Result
from benchmarks.sheet import show


def test_table_shows_what_a_peer_calls_itself_to_the_letter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ansible's version stands in brackets, which the table takes for an order to itself."""
    found = Result({"cpu": "a test's"}, quick=True)
    how = "ansible [core 2.19.14]: over SSH"
    found.compared = {
        who: {"round_trip_ms_p50": figure("round_trip_ms_p50", "ms", [3], how)}
        for who in ("denrei", "ansible")
    }
    show(found)
    assert how in capsys.readouterr().out
