"""Progress on stderr while a run is followed: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.cli.run_view import run_table, tally, time_cell
from orchestrator.cli.table import Table, note_lines, print_lines, stderr, width_of
from orchestrator.cli.visible import visible
from orchestrator.store.record import HostRun

_SPARE_LINES = 4  # header, tally, advice, and the cursor's own line


class Progress(Protocol):
    """Shows where host runs stand, again and again."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def update(self, host_runs: Sequence[HostRun], advice: str) -> None:
        """Show the latest state, and what a person should know or do."""
        ...


class PlainProgress:
    """A line per change: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def update(self, host_runs: Sequence[HostRun], advice: str) -> None:
        """Write a line for each host that moved, and new advice once."""
        for host_run in host_runs:
            self._say(host_run.host, _sentence(host_run))
        if advice:
            self._say("", advice)

    def _say(self, about: str, text: str) -> None:
        if self._said.get(about) != text:
            self._said[about] = text
            line = f"{about}: {text}" if about else text
            print_lines([Text(visible(line))], self._console)


class LiveProgress:
    """A table that is drawn anew in place; it goes away when the result is printed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn: list[Text] = []

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, host_runs: Sequence[HostRun], advice: str) -> None:
        """Draw the table; when it is higher than the screen, hosts at rest go first."""
        width = self._console.width
        shown, left_out = _fitting(host_runs, self._console.height - _SPARE_LINES)
        lines = [*run_table(shown).lines(width), Text(tally(host_runs), style="bold")]
        if left_out:
            lines.append(Text(f"… and {left_out} more", style="dim"))
        if advice:
            lines += note_lines(advice, width, indent=0)
        if lines != self._drawn:  # drawing the same again would only flicker
            self._drawn = lines
            self._live.update(Group(*lines), refresh=True)


def make_progress() -> Progress:
    """Return the kind of progress that suits stderr."""
    console = stderr()
    can_redraw = console.is_terminal and not console.is_dumb_terminal
    return LiveProgress(console) if can_redraw else PlainProgress(console)


def show_result(host_runs: Sequence[HostRun], table: Table) -> None:
    """Write the result table to stdout and the tally to stderr."""
    from orchestrator.cli.table import stdout

    console = stdout()
    print_lines(table.lines(width_of(console)), console)
    print_lines([Text(tally(host_runs), style="bold")], stderr())


def _sentence(host_run: HostRun) -> str:
    words = [host_run.state.value, *(["cancelling"] if host_run.cancelling else [])]
    words += ["awaiting approval"] if host_run.awaiting else []
    if host_run.outcome and host_run.outcome.value != host_run.state.value:
        words.append(host_run.outcome.value)
    words.append(time_cell(host_run))
    return ", ".join(words) + (f": {host_run.reason}" if host_run.reason else "")


def _fitting(host_runs: Sequence[HostRun], height: int) -> tuple[list[HostRun], int]:
    cost = [1 + bool(host_run.reason) * 2 for host_run in host_runs]
    if sum(cost) <= height:
        return list(host_runs), 0
    # What is open or not well matters most when not everything fits.
    restless = sorted(host_runs, key=lambda h: (h.ended and not h.reason, h.host))
    count = max(height // 2, 3)
    return restless[:count], max(len(host_runs) - count, 0)
