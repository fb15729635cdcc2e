"""A run as a document for machines: a stable shape, moments in RFC 3339, exit code included."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from contract.report import PassReport, StepReport
from orchestrator.cli.exit_code import code_of_run
from orchestrator.cli.moment import rfc3339
from orchestrator.cli.output import Document
from orchestrator.cli.reason import reasons
from orchestrator.store.record import HostRun, Run, RunSummary


def run_document(run: Run, host_runs: Sequence[HostRun]) -> Document:
    """Return a run with its host runs and, once all have ended, its exit code."""
    return {
        "run": run_fields(run),
        "ended": all(host_run.ended for host_run in host_runs),
        "exit_code": exit_code(host_runs),
        "summary": dict(Counter(standing(host_run) for host_run in host_runs)),
        "hosts": [host_run_document(host_run) for host_run in host_runs],
    }


def summary_document(summary: RunSummary) -> Document:
    """Return a run and how many of its host runs stand where."""
    return {
        **run_fields(summary.run),
        "ended": summary.ended,
        "states": {state.value: count for state, count in summary.states.items()},
        "outcomes": {outcome.value: count for outcome, count in summary.outcomes.items()},
        "cancelling": summary.cancelling,
        "awaiting": summary.awaiting,
    }


def run_fields(run: Run) -> Document:
    """Return what was asked for; of secrets only the names."""
    return {
        "id": run.run_id,
        "runbook": run.runbook,
        "runbook_sha256": run.runbook_sha256,
        "source": run.source,
        "params": dict(run.params),
        "secrets": list(run.secrets),
        "check": run.check,
        "people": run.people,
        "operator": run.operator,
        "via": run.via.value,
        "reason": run.reason,
        "schedule": run.schedule,
        "created_at": rfc3339(run.created_at),
        "expires_at": rfc3339(run.expires_at),
    }


def host_run_document(host_run: HostRun) -> Document:
    """Return one host's share, with every pass and step if the host has reported."""
    report = host_run.read_report()
    return {
        "run_id": host_run.run_id,
        "host": host_run.host,
        "state": host_run.state.value,
        "cancelling": host_run.cancelling,
        "awaits": host_run.awaits if host_run.awaiting else 0,
        "outcome": host_run.outcome.value if host_run.outcome else None,
        "reason": "; ".join(reasons(host_run)),
        "order_sha256": host_run.order_sha256,
        "expires_at": rfc3339(host_run.expires_at),
        "accepted_at": rfc3339(host_run.accepted_at),
        "ended_at": rfc3339(host_run.ended_at),
        "worker": report.worker if report else None,
        "notes": report.notes if report else [],
        "passes": [_pass(passed) for passed in report.passes] if report else [],
    }


def exit_code(host_runs: Sequence[HostRun]) -> int | None:
    """Return the run's exit code, or None while a host run is still open."""
    if not all(host_run.ended for host_run in host_runs):
        return None
    return code_of_run({h.state for h in host_runs}, {h.outcome for h in host_runs}).value


def standing(host_run: HostRun) -> str:
    """Return the one word for where a host run stands: its outcome, else its state."""
    if host_run.cancelling:
        return "cancelling"
    if host_run.awaiting:
        return "awaiting"
    if host_run.outcome is not None and host_run.ended:
        return host_run.outcome.value
    return host_run.state.value


def _pass(passed: PassReport) -> Document:
    steps = [_step(step) for step in passed.steps]
    return {"item": passed.item, "values": passed.values, "steps": steps}


def _step(step: StepReport) -> Document:
    document: dict[str, Any] = msgspec.to_builtins(step)
    return document | {
        "started_at": rfc3339(step.started_at),
        "ended_at": rfc3339(step.ended_at),
        "rescue": [_step(rescuing) for rescuing in step.rescue],
    }
