"""Schedules as rows and documents."""

from collections.abc import Mapping, Sequence

from contract.instant import now_ms
from orchestrator.cli.moment import ago, clock, rfc3339
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table
from orchestrator.health import is_alive
from orchestrator.schedule import Schedule
from orchestrator.store.record import Firing, ServiceName
from orchestrator.store.store import Store

_HEADER = ("schedule", "runbook", "due", "next", "last")


def show(schedules: Sequence[Schedule], latest: Mapping[str, Firing], format_: Format) -> None:
    """Write the schedules to stdout."""
    if format_ is Format.TABLE:
        rows = [_row(schedule, latest.get(schedule.name)) for schedule in schedules]
        print_table(Table(_HEADER, rows))
        return
    documents = [_document(schedule, latest.get(schedule.name)) for schedule in schedules]
    emit(format_, {"schedules": documents}, documents)


def beat_trouble(store: Store) -> str:
    """Return why schedules don't fire; or nothing."""
    beat = store.services.get(ServiceName.BEAT)
    if beat is None or not is_alive(beat, now_ms()):
        return "no beat is running, so no schedule fires; start it with `denrei server --beat`"
    return f"beat is hindered: {beat.detail}" if beat.detail else ""


def _row(schedule: Schedule, last: Firing | None) -> Row:
    runbook = f"{schedule.runbook} --check" if schedule.check else schedule.runbook
    due = clock(schedule.next_after(now_ms()))
    cells = (schedule.name, runbook, str(schedule.timing), due, ago(last.slot if last else None))
    notes = [str(schedule.selector)]
    if last:
        notes.append(f"last: {last.error or last.run_id}")
    return Row(cells, notes)


def _document(schedule: Schedule, last: Firing | None) -> Document:
    return {
        "name": schedule.name,
        "runbook": schedule.runbook,
        "targets": {
            "all": schedule.selector.all,
            "hosts": list(schedule.selector.hosts),
            "labels": dict(schedule.selector.labels),
        },
        "due": str(schedule.timing),
        "params": dict(schedule.params),
        "secrets": sorted(schedule.secrets),
        "check": schedule.check,
        "reason": schedule.reason,
        "next_at": rfc3339(schedule.next_after(now_ms())),
        "last": _firing(last) if last else None,
    }


def _firing(firing: Firing) -> Document:
    return {
        "due_at": rfc3339(firing.slot),
        "fired_at": rfc3339(firing.at),
        "run_id": firing.run_id,
        "error": firing.error or None,
    }
