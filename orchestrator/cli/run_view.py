"""A run for people: a short table while and after it runs, and every step on request."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from rich.text import Text

from contract.outcome import HostRunState
from contract.report import ActionReport, PassReport, StepReport
from orchestrator.cli.moment import clock, stamp, took
from orchestrator.cli.reason import reasons
from orchestrator.cli.run_document import standing
from orchestrator.cli.table import Row, Table, coloured, note_lines
from orchestrator.cli.visible import show_value, visible, visible_lines
from orchestrator.store.record import HostRun, Run

_HEADER = ("host", "state", "outcome", "time")


def run_table(host_runs: Sequence[HostRun]) -> Table:
    """Return one row per host; why something is not well stands below its row."""
    return Table(_HEADER, [_row(host_run) for host_run in host_runs])


def tally(host_runs: Sequence[HostRun]) -> str:
    """Return how many host runs stand where: `2 changed, 1 ok`."""
    counts = Counter(standing(host_run) for host_run in host_runs)
    return ", ".join(f"{count} {word}" for word, count in counts.most_common()) or "no hosts"


def _row(host_run: HostRun) -> Row:
    outcome = host_run.outcome.value if host_run.outcome else "-"
    is_told = host_run.cancelling or host_run.awaiting
    state = standing(host_run) if is_told else host_run.state.value
    cells = (host_run.host, state, outcome, time_cell(host_run))
    report = host_run.read_report()
    return Row(cells, [*reasons(host_run), *(report.notes if report else [])])


def time_cell(host_run: HostRun) -> str:
    """Return what matters about time: until when the order waits, since when, or how long."""
    if host_run.state is HostRunState.QUEUED:
        return f"expires at {clock(host_run.expires_at)}"
    if host_run.ended:
        return _report_time(host_run) or clock(host_run.ended_at)
    return f"since {clock(host_run.accepted_at)}"


def _report_time(host_run: HostRun) -> str:
    report = host_run.read_report()
    return took(report.accepted_at, report.ended_at) if report else ""


def heading(run: Run) -> list[Text]:
    """Return what was asked for, by whom and when."""
    mode = " --check" if run.check else ""
    facts = [
        ("run", run.run_id),
        ("runbook", f"{run.runbook}{mode} (sha256 {run.runbook_sha256[:16]})"),
        ("from", run.source),
        ("params", " ".join(f"{name}={show_value(v)}" for name, v in run.params.items())),
        ("secrets", " ".join(run.secrets)),
        ("people", f"{run.people} must sign it" if run.people > 1 else ""),
        ("asked by", f"{run.operator} via {run.schedule or run.via.value}"),
        ("because", run.reason),
        ("created", f"{stamp(run.created_at)}, expires {clock(run.expires_at)}"),
    ]
    return [Text(f"{name + ':':<10}{visible(value)}") for name, value in facts if value]


_SAME = "for the same reason"


@dataclass(frozen=True, slots=True)
class StepView:
    """How much of each step to show, and how wide."""

    width: int
    with_output: bool = False

    def lines(self, host_run: HostRun) -> Iterator[Text]:
        """Yield a host run: its line, its notes, its passes and their steps."""
        words = [host_run.host, host_run.state.value, standing(host_run), time_cell(host_run)]
        yield coloured("  ".join(dict.fromkeys(visible(word) for word in words)), words)
        report = host_run.read_report()
        if report is None or not report.passes:
            for own in reasons(host_run)[:1]:
                yield from note_lines(own, self.width)
        if report is None:
            return
        for note in report.notes:
            yield from note_lines(note, self.width, indent=2)
        for passed in report.passes:
            yield from self._pass(passed, report.notes)

    def _pass(self, passed: PassReport, told: Sequence[str]) -> Iterator[Text]:
        indent = 2
        if passed.item:
            yield Text(f"  {visible(passed.item)}")
            indent = 4
        before = ""
        for step in passed.steps:
            is_same = step.reason == before and len(before) > len(_SAME)
            yield from self._step(replace(step, reason=_SAME) if is_same else step, indent)
            before = step.reason
        for name, value in passed.values.items():
            if value == "" or (value in told or f"{passed.item}: {value}" in told):
                continue  # nothing to say, or said above already
            yield from note_lines(f"{name} = {show_value(value)}", self.width, indent)

    def _step(self, step: StepReport, indent: int) -> Iterator[Text]:
        time = took(step.started_at, step.ended_at)
        tail = ", ".join(part for part in (time, _attempts(step)) if part)
        line = f"{' ' * indent}{step.outcome.value:<9} {visible(step.name)}"
        yield coloured(line + (f"  ({tail})" if tail else ""), [step.outcome.value])
        below = indent + 10
        if step.reason:
            yield from note_lines(step.reason, self.width, below)
        for name, value in step.evidence.items():
            yield from note_lines(f"{name} = {show_value(value)}", self.width, below)
        for told in step.earlier:
            yield from note_lines(told, self.width, below)
        if step.action:
            yield from note_lines(_action(step.action), self.width, below)
            if self.with_output:
                yield from _output(step.action, below)
        if step.rescue:
            yield Text(f"{' ' * below}rescue:")
        for rescuing in step.rescue:
            yield from self._step(rescuing, below)


def _attempts(step: StepReport) -> str:
    words = [f"{step.attempts} attempts"] if step.attempts > 1 else []
    return ", ".join([*words, *(["interrupted"] if step.interrupted else [])])


def _action(action: ActionReport) -> str:
    return f"{action.kind}: {action.summary}"


def _output(action: ActionReport, indent: int) -> Iterator[Text]:
    for name, text in (("stdout", action.stdout), ("stderr", action.stderr)):
        for line in visible_lines(text) if text else ():
            yield Text(f"{' ' * indent}{name} | {line}", style="dim")
