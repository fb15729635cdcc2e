"""`./dev bench`: measures Denrei, and its peers beside it; ends with a table or one JSON object."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Measurement
from benchmarks.catalogue import MEASUREMENTS
from benchmarks.figure import Figure, Found, Missing, NotMeasuredError
from benchmarks.machine import describe
from benchmarks.plots import draw
from benchmarks.result import FIGURES, Result
from benchmarks.sheet import show
from lab.host import LabError

RESULT, PLOTS = Path("bench.json"), Path("docs/plots")


def main() -> int:
    """Measure what is asked for; return 1 if a measurement broke."""
    asked = _parse()
    if asked.source:
        return _draw(json.loads(asked.source.read_text()), asked.plots or PLOTS)
    result = Result(describe(), quick=asked.quick)
    for name in measurements(asked.only):
        print(f"{name}:", file=sys.stderr)
        for found in _measure(name, MEASUREMENTS[name], quick=asked.quick):
            result.add(found)
            print(f"  {_told(found)}", file=sys.stderr)
    if asked.peers:
        from benchmarks.peer.comparison import compare

        compare(result, quick=asked.quick)
    asked.output.write_text(json.dumps(result.document(), indent=2) + "\n")
    print(f"written: {asked.output}", file=sys.stderr)
    show(result)
    broken = asked.plots is not None and _draw(result.document(), asked.plots) != 0
    if asked.json:
        print(json.dumps(result.figures()))
    return 1 if result.broken or broken else 0


def _draw(document: Mapping[str, Any], directory: Path) -> int:
    try:
        drawn = draw(document, directory)
    except NotMeasuredError as error:
        print(f"no plots: {error}", file=sys.stderr)
        return 1
    print(f"drawn: {', '.join(map(str, drawn))}", file=sys.stderr)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats: within three minutes")
    parser.add_argument("--peers", action="store_true", help="Salt and Ansible beside it")
    parser.add_argument("--json", action="store_true", help="end with one JSON object in a line")
    names = ", ".join(MEASUREMENTS)
    parser.add_argument(
        "--only",
        nargs="*",
        action="extend",
        choices=[*MEASUREMENTS, *FIGURES],
        metavar="NAME",
        help=f"the measurements {names}, or figures by their names; alone: none but --peers",
    )
    parser.add_argument("--output", type=Path, default=RESULT, help="the whole result, as JSON")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the result as SVG there")
    parser.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="FILE",
        help=f"measure nothing: draw what an earlier --output holds (into {PLOTS})",
    )
    return parser.parse_args()


def measurements(asked: Sequence[str] | None) -> list[str]:
    """Return which measurements give what is asked for, by their names or their figures'."""
    return [
        name
        for name, measurement in MEASUREMENTS.items()
        if asked is None or {name, *measurement.figures} & {*asked}
    ]


def _measure(name: str, measurement: Measurement, *, quick: bool) -> Iterator[Found]:
    """Yield what a measurement finds, and why the rest of its figures is missing."""
    owed = dict.fromkeys(measurement.figures, "it was not reached")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="denrei-bench-") as directory:
        try:
            for found in measurement.measure(Bench(Path(directory), quick=quick)):
                owed.pop(found.name, None)
                yield found
        except (NotMeasuredError, LabError) as error:
            owed = dict.fromkeys(owed or (f"the rest of {name}",), str(error))
        except Exception as error:  # noqa: BLE001 - the others are worth having all the same
            traceback.print_exc()
            owed = dict.fromkeys(owed or (f"the rest of {name}",), f"it broke: {error!r}")
    yield from (Missing(name, reason) for name, reason in owed.items())
    print(f"  {time.monotonic() - begun:.0f} s in all", file=sys.stderr)


def _told(found: Found) -> str:
    match found:
        case Figure(name, unit):
            spread = f"{found.least:,.1f} to {found.most:,.1f} in {len(found.samples)}"
            return f"{name}: {found.median:,.2f} {unit} ({spread})"
        case Missing(name, reason):
            return f"{name}: not measured: {reason}"


if __name__ == "__main__":
    sys.exit(main())
