"""A result as pictures: ours beside the peers', and the time for a check by the number of hosts.

matplotlib is fetched into the user's cache, as the peers are: the project itself does without.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.equipment import fetched
from benchmarks.figure import NotMeasuredError

_COLOURS = {"denrei": "#1b7f5c", "salt": "#4c72b0", "ansible": "#b0413e"}
_COMPARED = {
    "round_trip_ms_p50": "round trip of three steps, ms\n(less is better)",
    "ping_ms_p50": "signed ping; test.ping, ms\n(less is better)",
    "host_runs_per_s_20": "20 hosts: host runs per second\n(more is better)",
    "cpu_ms_per_host_run": "CPU time of a host run, ms\n(less is better)",
    "host_uss_mib": "memory of a waiting host, USS, MiB\n(less is better)",
    "idle_cpu_pct": "CPU of an idle host, %\n(less is better)",
}
_FLEET = re.compile(r"fleet_(\d+)_s")
_FAR = 5  # times as much, which only a logarithmic scale shows
_FEW = 2  # sizes of a fleet, which a line needs at least

Document = Mapping[str, Any]


def draw(result: Document, directory: Path) -> list[Path]:
    """Write what the result has figures for as SVG; return the files.

    `result` is a document of `Result`. Raises NotMeasuredError if there is nothing to draw.
    """
    sys.path.append(str(fetched("matplotlib", "matplotlib")))
    import matplotlib as mpl  # type: ignore[import-not-found]

    mpl.use("svg")
    # The same figures give the same bytes; text stays text.
    mpl.rcParams.update({"svg.hashsalt": "denrei", "svg.fonttype": "none", "font.size": 9})
    directory.mkdir(parents=True, exist_ok=True)
    drawn = [*_beside(result, directory), *_growth(result, directory)]
    if not drawn:
        raise NotMeasuredError("nothing to draw: it takes --peers, or two sizes of a fleet")
    return drawn


def _beside(result: Document, directory: Path) -> list[Path]:
    compared: Mapping[str, Document] = result["compared"]
    names = [name for name in _COMPARED if sum(name in found for found in compared.values()) > 1]
    if not names:
        return []
    from matplotlib.figure import Figure  # type: ignore[import-not-found]

    rows = (len(names) + 2) // 3
    picture = Figure(figsize=(9, 2.5 * rows), layout="constrained")
    for place, name in enumerate(names, start=1):
        panel = picture.add_subplot(rows, 3, place)
        who = [each for each in _COLOURS if name in compared.get(each, {})]
        values = [float(compared[each][name]["median"]) for each in who]
        named = [each.capitalize() for each in who]
        bars = panel.bar(named, values, color=[_COLOURS[each] for each in who])
        panel.bar_label(bars, [_spelt(value) for value in values], padding=2)
        panel.set_title(_COMPARED[name], fontsize=9)
        if max(values) > _FAR * min(values):
            panel.set_yscale("log")
            panel.set_ylim(min(values) / 3, max(values) * 3)
        else:
            panel.set_ylim(0, max(values) * 1.2)
        panel.tick_params(axis="y", labelsize=7)
    return [_written(picture, directory / "beside-peers.svg")]


def _growth(result: Document, directory: Path) -> list[Path]:
    found = sorted(_sizes(result["details"]))
    if len(found) < _FEW:
        return []
    from matplotlib.figure import Figure

    hosts, seconds = zip(*found, strict=True)
    picture = Figure(figsize=(6, 3.6), layout="constrained")
    panel = picture.add_subplot()
    linear = [seconds[-1] * count / hosts[-1] for count in hosts]
    panel.plot(hosts, linear, "--", color="#999999", label="in proportion to the hosts")
    panel.plot(hosts, seconds, "o-", color=_COLOURS["denrei"], label="measured")
    for count, took in found:
        panel.annotate(f"{took:.3g} s", (count, took), (6, -10), textcoords="offset points")
    panel.set_xlim(hosts[0] / 1.5, hosts[-1] * 2)
    panel.set(xscale="log", yscale="log", xlabel="simulated hosts", ylabel="seconds")
    panel.set_title("`check` over a whole fleet, from Enter to the last report stored", fontsize=9)
    panel.legend(frameon=False)
    return [_written(picture, directory / "fleet.svg")]


def _spelt(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _sizes(details: Document) -> Sequence[tuple[int, float]]:
    matched = ((_FLEET.fullmatch(name), found) for name, found in details.items())
    return [(int(match[1]), float(found["median"])) for match, found in matched if match]


def _written(picture: Any, path: Path) -> Path:
    picture.savefig(path, format="svg", metadata={"Date": None})
    return path
