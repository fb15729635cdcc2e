"""Why a host run is not well, or what it would change: in sentences, from its report."""

from collections.abc import Iterator

from contract.outcome import ENDING, StepOutcome
from contract.report import PassReport
from orchestrator.store.record import HostRun

_TELLING = ENDING | {StepOutcome.WOULD_CHANGE}


def reasons(host_run: HostRun) -> list[str]:
    """Return the host run's own reason, then one sentence per step that says why."""
    own = [host_run.reason] if host_run.reason else [*_awaited(host_run)]
    report = host_run.read_report()
    if report is None:
        return own
    name_items = len(report.passes) > 1
    told = [sentence for each in report.passes for sentence in _sentences(each, name_items)]
    return own + [sentence for sentence in told if sentence not in own]


def _awaited(host_run: HostRun) -> Iterator[str]:
    """Yield what a host run waits for that only people can give it."""
    if host_run.awaiting:
        who = "1 more person" if host_run.awaits == 1 else f"{host_run.awaits} more people"
        yield f"not sent before {who} approved it: denrei run approve {host_run.run_id}"


def _sentences(passed: PassReport, name_items: bool) -> Iterator[str]:  # noqa: FBT001 - private
    """Yield each cause once, with the first step that it concerns and how many more."""
    concerned: dict[str, list[str]] = {}
    for step in passed.steps:
        if step.outcome in _TELLING:
            why = step.reason or step.outcome.value.replace("_", " ")
            concerned.setdefault(why, []).append(step.name)
    for why, (first, *others) in concerned.items():
        words = [passed.item] if name_items and passed.item else []
        more = f" (and {len(others)} more)" if others else ""
        yield ": ".join([*words, first + more, why])
