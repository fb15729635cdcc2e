"""What a host did, as lines for people and as documents for machines."""

from collections.abc import Iterator

import click
import msgspec

from contract.report import PassReport
from worker.display import Document, columns, emit, plain, rfc3339, stamp
from worker.history import Deed, History

_HEADER = ("RUN", "TAKEN", "RUNBOOK", "OUTCOME", "OPERATOR")


def show_history(history: History, format_: str) -> None:
    """Write the orders to stdout, the newest first."""
    documents = [_document(deed) for deed in history.deeds]
    if format_ == "jsonl":
        for document in documents:
            emit(document, indent=None)
    elif format_ == "json":
        emit({"runs": documents, "pruned": history.pruned})
    else:
        for line in columns([_HEADER, *(_row(deed) for deed in history.deeds)]):
            click.echo(line)
        click.echo(_gone(history.pruned), err=True)


def show_deed(deed: Deed, format_: str) -> None:
    """Write one order and its steps, as they were reported, to stdout."""
    if format_ != "table":
        report = msgspec.to_builtins(deed.report) if deed.report is not None else None
        emit({**_document(deed), "report": report}, indent=2 if format_ == "json" else None)
        return
    for line in columns(list(_facts(deed))):
        click.echo(line)
    for each in deed.report.passes if deed.report is not None else ():
        for line in _pass_lines(each):
            click.echo(line)


def _row(deed: Deed) -> tuple[str, ...]:
    order = deed.order
    runbook = f"{order.runbook} --check" if order and order.check else order and order.runbook
    operator = plain(order.operator) if order else "?"
    return (
        deed.past.run_id,
        stamp(deed.past.accepted_at),
        plain(runbook or "?"),
        deed.outcome,
        operator,
    )


def _gone(pruned: int) -> str:
    if not pruned:
        return "the ledger holds every order since it was made"
    return f"{pruned} older ones are pruned: the orchestrator's store has them"


def _facts(deed: Deed) -> Iterator[tuple[str, str]]:
    order, report, past = deed.order, deed.report, deed.past
    yield "run", past.run_id
    if order:
        yield "runbook", plain(order.runbook) + (" --check" if order.check else "")
        yield "operator", f"{plain(order.operator)} ({order.via})"
        yield "reason", plain(order.reason) or "-"
    yield "taken", stamp(past.accepted_at)
    yield "begun", stamp(past.started_at)
    yield "ended", stamp(report.ended_at if report else None)
    yield "state", deed.state
    yield "outcome", deed.outcome
    if report:
        yield "acknowledged", "yes" if past.acknowledged else "no: it is sent again"
        if report.reason:
            yield "why", plain(report.reason)
        for note in report.notes:
            yield "note", plain(note)


def _pass_lines(each: PassReport) -> Iterator[str]:
    if each.item:
        yield plain(each.item)
    for step in each.steps:
        yield f"  {step.outcome:<12}  {plain(step.name)}"
        if step.reason:
            yield f"                {plain(step.reason)}"
        if step.action is not None:
            yield f"                {plain(step.action.summary)}"


def _document(deed: Deed) -> Document:
    order, report, past = deed.order, deed.report, deed.past
    return {
        "run_id": past.run_id,
        "runbook": order.runbook if order else None,
        "check": order.check if order else None,
        "operator": order.operator if order else None,
        "via": order.via if order else None,
        "reason": order.reason if order else None,
        "state": deed.state,
        "outcome": deed.outcome,
        "accepted_at": rfc3339(past.accepted_at),
        "started_at": rfc3339(past.started_at),
        "ended_at": rfc3339(report.ended_at if report else None),
        "acknowledged": None if past.acknowledged is None else bool(past.acknowledged),
    }
