"""What is drawn of a result: only what it has figures for."""

from benchmarks.figure import figure
from benchmarks.plots import _sizes
from benchmarks.result import Result


def test_sizes_of_a_fleet_are_those_that_were_measured() -> None:
    """`growth_1000_to_10000` and the server's share are no times of a fleet."""
    found = Result({}, quick=False)
    found.add(figure("fleet_1000_s", "s", [2.0, 4.0, 3.0]))
    found.add(figure("fleet_100_s", "s", [1.0]))
    found.add(figure("growth_1000_to_10000", "x", [1.1]))
    found.add(figure("server_cpu_ms_per_host_run_10000", "ms", [2.0]))
    assert sorted(_sizes(found.document()["details"])) == [(100, 1.0), (1000, 3.0)]
