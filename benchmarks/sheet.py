"""The result as a table for people."""

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure
from benchmarks.result import Result

_WIDTH = 160


def show(result: Result) -> None:
    """Print the machine, the figures, and what is missing."""
    console = Console(width=max(_WIDTH, Console().width), markup=False)
    console.print(", ".join(f"{name} {value}" for name, value in result.machine.items()))
    console.print(_figures("Denrei", result.found))
    for who, figures in result.compared.items():
        console.print(_figures(f"{who}, side by side", figures))
    for peer, ratios in result.ratios().items():
        told = ", ".join(f"{name} {ratio:g}" for name, ratio in ratios.items())
        console.print(f"Denrei / {peer}: {told}")
    for name, reason in result.figures()["not_measured"].items():
        console.print(f"{name}: not measured: {reason}")


def _figures(title: str, figures: dict[str, Figure]) -> Table:
    table = Table("figure", title=title, title_justify="left")
    for heading in ("median", "least", "most"):
        table.add_column(heading, justify="right")
    for heading in ("unit", "n", "what"):
        table.add_column(heading)
    for found in figures.values():
        numbers = (f"{value:,.4g}" for value in (found.median, found.least, found.most))
        table.add_row(found.name, *numbers, found.unit, str(len(found.samples)), found.how)
    return table
