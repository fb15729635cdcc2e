"""Why a host run is not well, or what it would change: in sentences, from its report."""

from contract.outcome import ENDING, StepOutcome
from contract.report import PassReport, StepReport
from orchestrator.store.record import HostRun

_TELLING = ENDING | {StepOutcome.WOULD_CHANGE}


def reasons(host_run: HostRun) -> list[str]:
    """Return the host run's own reason, then one sentence per step that says why."""
    own = [host_run.reason] if host_run.reason else []
    report = host_run.read_report()
    if report is None:
        return own
    name_items = len(report.passes) > 1
    told = [_sentence(p, step, name_items) for p in report.passes for step in p.steps]
    return own + [sentence for sentence in told if sentence and sentence not in own]


def _sentence(passed: PassReport, step: StepReport, name_items: bool) -> str:  # noqa: FBT001 - private
    if step.outcome not in _TELLING:
        return ""
    why = step.reason or step.outcome.value.replace("_", " ")
    words = [passed.item] if name_items and passed.item else []
    return ": ".join([*words, step.name, why])
