"""What a step's rescue makes of it: steps that run because it failed or timed out.

    a rescue's step fails ───────> the next one is tried, for it may be another way to the state
    the failed state holds again ──> the rest is skipped: changed
    one that rolls back was begun ──> all are carried out, until one of them fails
        all of them ok or changed ──> rolled_back, whatever the failed step's `ensure` says now
    else ────────────────────────> the step's own failure stays

The failure is written down before the rescue begins: after a crash the rescue goes on, and the step
itself is not tried again.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import structlog

from contract.instant import now_ms
from contract.outcome import StepOutcome
from contract.report import StepReport
from contract.runbook import Step
from worker.place import Place
from worker.runner import TIME_IS_OVER, StepRunner, skipped
from worker.tools import Parked, Setting, Tools
from worker.view import UndecidedError

RESCUED = frozenset({StepOutcome.FAILED, StepOutcome.TIMED_OUT})

_WELL = frozenset({StepOutcome.OK, StepOutcome.CHANGED})
_log = structlog.get_logger(__name__)


class Rescue:
    """Carries out the rescue of one step; made anew for each."""

    def __init__(self, step: Step, place: Place, setting: Setting, tools: Tools) -> None:
        """Take the step that may need it."""
        self._step = step
        self._place = place
        self._setting = replace(setting, closed="")  # a failed step's rescue is done in any case
        self._tools = tools
        self._told: list[StepReport] = []
        self._places = [replace(place, rescue=n) for n in range(1, len(step.rescue) + 1)]
        self._rolls_back = False  # a step that does so was begun

    def carry_out(self, failed: StepReport) -> StepReport:
        """Return the step's report with what its rescue came to. Raises Parked between steps."""
        is_done = bool(failed.rescue)
        if is_done or not self._step.rescue or failed.outcome not in RESCUED:
            return failed
        if self._setting.check:
            would = [skipped(each, "check mode: it would be tried") for each in self._step.rescue]
            return msgspec.structs.replace(failed, rescue=would)
        self._write_down(failed)
        self._rolls_back = any(
            step.rolls_back and self._tools.ledger.step(place)
            for step, place in zip(self._step.rescue, self._places, strict=True)
        )
        for report in self._steps():
            self._told.append(report)
        outcome, reason = self._verdict(failed)
        ended = msgspec.structs.replace(
            failed, outcome=outcome, reason=reason[:4000], ended_at=now_ms(), rescue=self._told
        )
        self._write_down(ended)
        return ended

    def _write_down(self, report: StepReport) -> None:
        started_at = report.started_at or now_ms()
        self._tools.ledger.end_step(self._place, started_at, msgspec.json.encode(report))

    def _steps(self) -> Iterator[StepReport]:
        over = ""
        for step, place in zip(self._step.rescue, self._places, strict=True):
            if self._tools.ledger.step(place) is None:  # what has begun is told in any case
                over = over or self._why_no_more()
                if over:
                    yield skipped(step, over)
                    continue
            if self._tools.is_stopping():
                raise Parked
            report = self._carry_out(step, place)
            over = over or self._why_it_ends(step, report)
            yield report

    def _carry_out(self, step: Step, place: Place) -> StepReport:
        with structlog.contextvars.bound_contextvars(rescue=step.name):
            report = StepRunner(step, place, self._setting, self._tools).carry_out()
            _log.info("rescue_step_ended", outcome=report.outcome, reason=report.reason)
        if step.rolls_back and report.outcome is not StepOutcome.SKIPPED:
            self._rolls_back = True
        return report

    def _why_no_more(self) -> str:
        if self._setting.remaining <= 0:
            return TIME_IS_OVER
        if self._told and not self._rolls_back and self._holds():
            return f"no longer needed: {self._step.name!r} holds"
        return ""

    def _why_it_ends(self, step: Step, report: StepReport) -> str:
        if report.outcome is StepOutcome.UNKNOWN:
            return f"{step.name!r} ended this rescue"
        if step.rolls_back and report.outcome in RESCUED:
            return f"{step.name!r} could not be put back"
        return ""

    def _verdict(self, failed: StepReport) -> tuple[StepOutcome, str]:
        if self._rolls_back:
            return self._verdict_of_rollback(failed)
        if self._holds():
            has_acted = failed.attempts or any(report.attempts for report in self._told)
            outcome = StepOutcome.CHANGED if has_acted else StepOutcome.OK
            return outcome, f"its rescue made it hold; before that {failed.reason}"
        return failed.outcome, f"{failed.reason}; its rescue did not help"

    def _verdict_of_rollback(self, failed: StepReport) -> tuple[StepOutcome, str]:
        pairs = zip(self._step.rescue, self._told, strict=True)
        bad = [r.name for step, r in pairs if step.rolls_back and not _is_well(r)]
        if not bad:
            return StepOutcome.ROLLED_BACK, f"the earlier state was put back; {failed.reason}"
        return failed.outcome, f"{failed.reason}; the rollback failed at {bad[0]!r}"

    def _holds(self) -> bool:
        view = self._setting.view
        view.forget()
        try:
            return view.holds(self._step.ensure)
        except UndecidedError:
            return False


def _is_well(report: StepReport) -> bool:
    """Tell whether a step put back what it is for; one whose `when` was false had nothing to do."""
    was_looked_at = report.started_at is not None
    return report.outcome in _WELL or (report.outcome is StepOutcome.SKIPPED and was_looked_at)
