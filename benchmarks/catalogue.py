"""Every measurement by its name, in the order in which they are made."""

from collections.abc import Mapping

from benchmarks import capacity, command, dispatch, fleet, footprint, recorder, storm, work
from benchmarks.bench import Measurement

MEASUREMENTS: Mapping[str, Measurement] = {
    "help": Measurement(("cli_help_ms",), command.measure_help),
    "work": Measurement(
        ("round_trip_ms_p50", "host_runs_per_s_20", "cpu_ms_per_host_run"), work.measure
    ),
    "footprint": Measurement(
        (
            *("host_pss_mib", "host_uss_mib", "host_idle_uss_mib"),
            *("idle_cpu_pct", "idle_redis_commands_per_s"),
        ),
        footprint.measure,
    ),
    "dispatch": Measurement(("dispatch_per_s",), dispatch.measure),
    "recorder": Measurement(("recorder_per_s_sqlite",), recorder.measure_sqlite),
    "postgresql": Measurement(("recorder_per_s_postgresql",), recorder.measure_postgresql),
    "fleet": Measurement(("fleet_10000_s", "growth_1000_to_10000"), fleet.measure),
    "capacity": Measurement((), capacity.measure),
    "storm": Measurement((), storm.measure),
    "run_list": Measurement(("run_list_ms_1000000",), command.measure_list),
}
