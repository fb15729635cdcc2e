"""A whole result: the machine, every figure with its spread, and what was not measured and why."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.figure import Figure, Found, Missing

FIGURES = (
    "round_trip_ms_p50",
    "host_runs_per_s_20",
    "cpu_ms_per_host_run",
    "host_pss_mib",
    "host_uss_mib",
    "host_idle_uss_mib",
    "idle_cpu_pct",
    "idle_redis_commands_per_s",
    "dispatch_per_s",
    "recorder_per_s_sqlite",
    "recorder_per_s_postgresql",
    "fleet_10000_s",
    "growth_1000_to_10000",
    "cli_help_ms",
    "run_list_ms_1000000",
)

OURS = "denrei"


@dataclass
class Result:
    """What one run of the benchmarks found."""

    machine: dict[str, object]
    quick: bool
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    found: dict[str, Figure] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    compared: dict[str, dict[str, Figure]] = field(default_factory=dict)  # ours, and the peers'

    def add(self, found: Found) -> None:
        """Take in a figure, or that there is none."""
        match found:
            case Figure():
                self.found[found.name] = found
            case Missing(name, reason):
                self.missing[name] = reason

    @property
    def broken(self) -> bool:
        """Tell whether a measurement ended by a defect of its own."""
        return any(reason.startswith("it broke") for reason in self.missing.values())

    def figures(self) -> dict[str, Any]:
        """Return the medians under their fixed names; null with a reason where there is none."""
        values: dict[str, Any] = {name: _value(self.found.get(name)) for name in FIGURES}
        for who, figures in self.compared.items():
            key = "denrei_beside" if who == OURS else who
            values[key] = {name: _value(found) for name, found in figures.items()}
        if self.compared:
            values["ratios"] = self.ratios()
        unasked = {name: "it was not asked for" for name in FIGURES if name not in self.found}
        return {**values, "not_measured": {**unasked, **self.missing}}

    def ratios(self) -> dict[str, dict[str, float]]:
        """Return ours divided by each peer's, of the run in which both were measured."""
        ours = self.compared.get(OURS, {})
        found = {
            peer: {
                name: _rounded(ours[name].median / theirs.median)
                for name, theirs in figures.items()
            }
            for peer, figures in self.compared.items()
            if peer != OURS
        }
        for peer, ratios in found.items():
            if ping := self.compared[peer].get("ping_ms_p50"):
                ratios["round_trip_to_its_ping"] = _rounded(
                    ours["round_trip_ms_p50"].median / ping.median
                )
        return found

    def document(self) -> dict[str, Any]:
        """Return everything, each repeat included."""
        return {
            "at": self.at,
            "quick": self.quick,
            "machine": self.machine,
            "figures": self.figures(),
            "details": {name: _detail(found) for name, found in self.found.items()},
            "compared": {
                who: {name: _detail(found) for name, found in figures.items()}
                for who, figures in self.compared.items()
            },
        }


def _value(found: Figure | None) -> float | None:
    return None if found is None else _rounded(found.median)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _detail(found: Figure) -> dict[str, Any]:
    return {
        "unit": found.unit,
        "how": found.how,
        "median": _rounded(found.median),
        "least": _rounded(found.least),
        "most": _rounded(found.most),
        "samples": [_rounded(sample) for sample in found.samples],
    }
