"""One step, phase by phase: resume -> when -> ensure -> check mode -> do and observe.

    ensure holds ───────────────────────────────────────> ok
    ensure false, no `do` ──────────────────────────────> failed
    ensure false, check mode ───────────────────────────> would_change
    ensure false, `do` ──> holds within the time ───────> changed
                       └─> does not ────────────────────> failed, or timed_out
    an observation can't be made ───────────────────────> unknown
    the runbook's time is over before it ───────────────> timed_out
    found begun after a crash ──> holds ────────────────> changed (proved after interruption)
                              └─> does not: on_interrupt ─> again, or unknown
    taken back in the middle ──> holds when looked at ──> changed
                             └─> does not ──────────────> cancelled

An action's exit code decides nothing; only the observed state does. What a step's rescue makes of
it is `rescue`'s business.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from contract.action import ACTIONS as KINDS
from contract.arguments import fill
from contract.instant import now_ms, to_datetime
from contract.outcome import StepOutcome
from contract.report import ActionReport, StepReport
from contract.runbook import Action, OnInterrupt, Step
from contract.template import TemplateError
from worker.action_report import action_report
from worker.actions.action import ActionResult, Context
from worker.actions.table import ACTIONS
from worker.ledger import Begun, Ledger
from worker.lock import step_lock
from worker.place import Place
from worker.proc import boot_clock
from worker.tools import Setting, Tools
from worker.view import UndecidedError, View, brief

MAX_INTERRUPTIONS = 3  # a step that was cut off so often is not run again
TIME_IS_OVER = "the runbook's time is over"

_FIRST_LOOK_S, _LONGEST_PAUSE_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How a step ended."""

    outcome: StepOutcome
    reason: str = ""


class StepRunner:
    """Carries out one step; made anew for each."""

    def __init__(self, step: Step, place: Place, setting: Setting, tools: Tools) -> None:
        """Look up what the ledger knows of this step."""
        self._step = step
        self._place = place
        self._setting = setting
        self._tools = tools
        self._begun: Begun | None = tools.ledger.step(place)
        self._interrupted = self._begun is not None
        self._action: ActionReport | None = None
        self._earlier: list[str] = []
        self._attempts = self._begun.attempts if self._begun else 0

    def carry_out(self) -> StepReport:
        """Make the step's state hold, if need be, and tell how it went."""
        if self._begun and self._begun.report is not None:
            return msgspec.json.decode(self._begun.report, type=StepReport)
        started_at = self._begun.started_at if self._begun else now_ms()
        tell_changes(self._setting.view, self._tools.ledger, self._place)
        self._setting.view.forget()
        try:
            verdict = self._verdict()
        except UndecidedError as error:
            verdict = self._undecided(error)
        report = self._report(verdict, started_at)
        if self._attempts:
            self._tools.ledger.end_step(self._place, started_at, msgspec.json.encode(report))
        return report

    def _undecided(self, error: UndecidedError) -> _Verdict:
        if self._attempts == 0 and self._setting.remaining <= 0:
            return _Verdict(StepOutcome.TIMED_OUT, f"{TIME_IS_OVER}: {error}")
        return _Verdict(StepOutcome.UNKNOWN, str(error))

    def _verdict(self) -> _Verdict:
        phases = (self._resume, self._in_time, self._when, self._ensure, self._check_mode)
        for phase in phases:
            if verdict := phase():
                return verdict
        return self._do()

    def _resume(self) -> _Verdict | None:
        if not self._interrupted:
            return None
        if self._holds_within(self._step.within):
            return _Verdict(StepOutcome.CHANGED, "proved after interruption")
        if self._step.on_interrupt is OnInterrupt.UNKNOWN:
            reason = "interrupted in the middle; the state does not hold and the step may not rerun"
            return _Verdict(StepOutcome.UNKNOWN, reason)
        if self._setting.closed:
            reason = (
                f"interrupted in the middle; the state does not hold, and {self._setting.closed}"
            )
            return _Verdict(StepOutcome.UNKNOWN, reason)
        if self._attempts >= self._step.retry.attempts - 1 + MAX_INTERRUPTIONS:
            return _Verdict(StepOutcome.UNKNOWN, f"interrupted {self._attempts} times; given up")
        self._earlier = [f"attempt {self._attempts}: interrupted"]
        return None

    def _in_time(self) -> _Verdict | None:
        if self._setting.remaining > 0:
            return None
        return _Verdict(StepOutcome.TIMED_OUT, TIME_IS_OVER)

    def _when(self) -> _Verdict | None:
        when = self._step.when
        if when is None or self._interrupted or self._setting.view.holds(when):
            return None
        return _Verdict(StepOutcome.SKIPPED, "its `when` is false")

    def _ensure(self) -> _Verdict | None:
        if self._setting.view.holds(self._step.ensure):
            return _Verdict(StepOutcome.OK)
        if self._step.do is None:
            return _Verdict(StepOutcome.FAILED, self._why_not())
        return None

    def _check_mode(self) -> _Verdict | None:
        if self._setting.check:
            return _Verdict(StepOutcome.WOULD_CHANGE, self._why_not())
        return None

    def _do(self) -> _Verdict:
        action = self._step.do
        assert action is not None  # noqa: S101 - _ensure has ended a step without one
        try:
            arguments = self._arguments(action)
        except (TemplateError, msgspec.ValidationError) as error:
            return _Verdict(StepOutcome.FAILED, f"{self._why_not()} (not run: {error})")
        result: ActionResult | None = None
        for _ in range(max(self._step.retry.attempts - self._attempts, 1)):
            if result and self._holds_after_delay(result):
                return _Verdict(StepOutcome.CHANGED, _unlike_success(result))
            if self._is_cancelled() or self._setting.remaining <= 0:
                break
            result = self._act(action.kind, arguments)
            self._setting.view.forget()
            if self._holds_within(self._step.within):
                return _Verdict(StepOutcome.CHANGED, _unlike_success(result))
        return self._not_reached(result)

    def _holds_after_delay(self, result: ActionResult) -> bool:
        """Wait before the next attempt; what came late need not be done again."""
        self._earlier.append(self._setting.redactor.text(_told(self._attempts, result))[:4000])
        delay = self._step.retry.delay.total_seconds()
        self._pause(max(min(delay, self._setting.remaining), 0))
        self._setting.view.forget()
        return self._setting.view.holds(self._step.ensure)

    def _arguments(self, action: Action) -> msgspec.Struct:
        return fill(KINDS[action.kind].arguments, action.arguments, self._setting.texts)

    def _act(self, kind: str, arguments: msgspec.Struct) -> ActionResult:
        self._tools.ledger.begin_step(self._place, now_ms())
        self._attempts += 1
        result = ACTIONS[kind](arguments, self._context())
        tell_changes(self._setting.view, self._tools.ledger, self._place)
        self._action = action_report(kind, result, self._setting.redactor)
        return result

    def _context(self) -> Context:
        time_left = timedelta(seconds=max(self._setting.remaining, 0))
        return Context(
            root=self._tools.root,
            timeout=min(self._step.timeout, time_left),
            marker=self._place.marker(self._attempts),
            lock_path=step_lock(self._tools.locks, self._place.run_id),
            locks=self._tools.held,
            await_readable=self._tools.await_readable,
            pause=self._pause,
            redactor=self._setting.redactor,
        )

    def _pause(self, seconds: float) -> bool:
        return self._tools.pause(seconds, self._is_cancelled)

    def _holds_within(self, within: timedelta) -> bool:
        """Observe until the state holds or the time is over. Raises UndecidedError at its end."""
        until = min(boot_clock() + within.total_seconds(), self._setting.deadline)
        pause = _FIRST_LOOK_S
        while True:
            try:
                if self._setting.view.holds(self._step.ensure):
                    return True
                undecided = None
            except UndecidedError as error:
                undecided = error
            left = until - boot_clock()
            if left <= 0 or self._is_cancelled():
                break
            self._pause(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            self._setting.view.forget()
        if undecided:
            raise undecided
        return False

    def _not_reached(self, result: ActionResult | None) -> _Verdict:
        reason = self._why_not()
        if result and not result.ok:
            reason += f" ({result.summary})"
        if self._ends_cancelled():
            return _Verdict(StepOutcome.CANCELLED, reason)
        if self._setting.remaining <= 0:
            return _Verdict(StepOutcome.TIMED_OUT, f"{TIME_IS_OVER}; {reason}")
        if result and result.timed_out:
            return _Verdict(StepOutcome.TIMED_OUT, reason)
        return _Verdict(StepOutcome.FAILED, reason)

    def _is_cancelled(self) -> bool:
        """Tell whether to begin nothing more; only a kill ends a rescue half-way."""
        tombstone = self._tools.ledger.tombstone(self._place.run_id)
        return tombstone is not None and (tombstone.kill or not self._place.rescue)

    def _ends_cancelled(self) -> bool:
        """Tell whether a cancel is what ends the step; one that acted still gets its rescue."""
        tombstone = self._tools.ledger.tombstone(self._place.run_id)
        is_rescued = self._place.rescue or (self._step.rescue and self._attempts)
        return tombstone is not None and (tombstone.kill or not is_rescued)

    def _why_not(self) -> str:
        return "not so: " + "; ".join(self._setting.view.false_parts(self._step.ensure))

    def _report(self, verdict: _Verdict, started_at: int) -> StepReport:
        redactor = self._setting.redactor
        evidence = self._setting.view.evidence(self._step.ensure)
        return StepReport(
            name=self._step.name,
            outcome=verdict.outcome,
            reason=redactor.text(verdict.reason)[:4000],
            evidence=brief(redactor.tree(evidence)),
            started_at=started_at,
            ended_at=now_ms(),
            attempts=self._attempts,
            interrupted=self._interrupted,
            action=self._action,
            earlier=self._earlier,
        )


def skipped(step: Step, reason: str) -> StepReport:
    """Return the report of a step that was not looked at."""
    return StepReport(name=step.name, outcome=StepOutcome.SKIPPED, reason=reason)


def tell_changes(view: View, ledger: Ledger, place: Place) -> None:
    """Let the expressions of a pass know whether one of its actions has begun, and when."""
    if view.values.get("run.changed"):  # and when, which stays as it is
        return
    changed_at = ledger.changed_at(place.run_id, place.item)
    view.values["run.changed"] = changed_at is not None
    if changed_at is not None:
        view.values["run.changed_at"] = to_datetime(changed_at)


def _told(attempt: int, result: ActionResult) -> str:
    return f"attempt {attempt}: {result.summary}, and the state did not hold"


def cancelled(step: Step) -> StepReport:
    """Return the report of a step that the order's cancelling kept from beginning."""
    return StepReport(name=step.name, outcome=StepOutcome.CANCELLED)


def _unlike_success(result: ActionResult) -> str:
    """Tell what an action said that did not look like success, though the state holds."""
    return "" if result.ok else f"the state holds, although {result.summary}"
