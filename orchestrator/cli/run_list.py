"""A list of runs: one line each, or their documents."""

from collections import Counter
from collections.abc import Sequence

from contract.outcome import HostRunState
from orchestrator.cli.moment import ago
from orchestrator.cli.output import Format, emit
from orchestrator.cli.table import Row, Table, print_table
from orchestrator.store.record import RunSummary

_HEADER = ("run", "when", "runbook", "hosts")
_WITH_OUTCOME = {HostRunState.SUCCEEDED, HostRunState.FAILED}


def show(summaries: Sequence[RunSummary], format_: Format) -> None:
    """Write the runs to stdout."""
    if format_ is Format.TABLE:
        print_table(Table(_HEADER, [_row(summary) for summary in summaries]))
        return
    from orchestrator.cli.run_document import summary_document

    documents = [summary_document(summary) for summary in summaries]
    emit(format_, {"runs": documents}, documents)


def _row(summary: RunSummary) -> Row:
    run = summary.run
    runbook = f"{run.runbook} --check" if run.check else run.runbook
    return Row((run.run_id, ago(run.created_at), runbook, _standing(summary)))


def _standing(summary: RunSummary) -> str:
    """Return the outcomes that hosts told, and the states of those that told none."""
    counts = Counter({outcome.value: n for outcome, n in summary.outcomes.items()})
    for state, count in summary.states.items():
        if state not in _WITH_OUTCOME:
            # Some of the unknown and cancelled have told an outcome of the same name.
            counts[state.value] = max(counts[state.value], count)
    told = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    more = ((summary.awaiting, "awaiting approval"), (summary.cancelling, "cancelling"))
    return told + "".join(f" ({count} {what})" for count, what in more if count)
