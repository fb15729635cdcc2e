"""What a result tells: fixed names, nothing made up, ratios of one run."""

import pytest

from benchmarks.__main__ import measurements
from benchmarks.catalogue import MEASUREMENTS
from benchmarks.figure import Missing, NotMeasuredError, figure
from benchmarks.result import FIGURES, Result


def result() -> Result:
    return Result({"cpu": "a test's"}, quick=True)


def test_result_without_measurements_has_every_name_as_null_with_a_reason() -> None:
    """A figure that nobody measured is never a number."""
    told = result().figures()
    assert [told[name] for name in FIGURES] == [None] * len(FIGURES)
    assert set(told["not_measured"]) == set(FIGURES)


def test_result_tells_the_median_and_the_reason_of_what_is_missing() -> None:
    found = result()
    found.add(figure("cli_help_ms", "ms", [300, 100, 120]))
    found.add(Missing("host_idle_uss_mib", "it never sleeps"))
    told = found.figures()
    assert told["cli_help_ms"] == 120
    assert "cli_help_ms" not in told["not_measured"]
    assert told["not_measured"]["host_idle_uss_mib"] == "it never sleeps"


def test_ratios_are_ours_by_theirs_of_the_run_in_which_both_were_measured() -> None:
    """A figure of another run, on a machine that may have been busier, makes no ratio."""
    found = result()
    found.add(figure("round_trip_ms_p50", "ms", [1000]))
    found.compared = {
        "denrei": {"round_trip_ms_p50": figure("round_trip_ms_p50", "ms", [20])},
        "salt": {
            "round_trip_ms_p50": figure("round_trip_ms_p50", "ms", [400]),
            "ping_ms_p50": figure("ping_ms_p50", "ms", [100]),
        },
    }
    found.compared["denrei"]["ping_ms_p50"] = figure("ping_ms_p50", "ms", [10])
    told = found.figures()
    assert told["ratios"]["salt"] == {
        "round_trip_ms_p50": 0.05,
        "ping_ms_p50": 0.1,
        "round_trip_to_its_ping": 0.2,
    }
    assert told["salt"] == {"round_trip_ms_p50": 400, "ping_ms_p50": 100}


def test_figure_without_a_repeat_is_refused() -> None:
    with pytest.raises(NotMeasuredError):
        figure("cli_help_ms", "ms", [])


def test_catalogue_owes_every_figure_once() -> None:
    """Each fixed name has the one measurement that gives it or says why not."""
    owed = [name for measurement in MEASUREMENTS.values() for name in measurement.figures]
    assert sorted(owed) == sorted(FIGURES)


def test_measurement_is_chosen_by_its_name_or_by_a_figure_that_it_gives() -> None:
    """In the catalogue's sequence, each once; nothing at all may be asked for, too."""
    assert measurements(["recorder", "recorder_per_s_sqlite", "cli_help_ms"]) == [
        "help",
        "recorder",
    ]
    assert measurements(None) == list(MEASUREMENTS)
    assert measurements([]) == []
