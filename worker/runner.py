"""One step, phase by phase: resume -> when -> ensure -> check mode -> do and observe.

    ensure holds ───────────────────────────────────────> ok
    ensure false, no `do` ──────────────────────────────> failed
    ensure false, check mode ───────────────────────────> would_change
    ensure false, `do` ──> holds within the time ───────> changed
                       └─> does not ────────────────────> failed, or timed_out
    an observation can't be made ───────────────────────> unknown
    found begun after a crash ──> holds ────────────────> changed (proved after interruption)
                              └─> does not: on_interrupt ─> again, or unknown

An action's exit code decides nothing; only the observed state does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from contract.action import ACTIONS as KINDS
from contract.instant import now_ms
from contract.outcome import StepOutcome
from contract.report import ActionReport, StepReport
from contract.runbook import Action, OnInterrupt, Step
from contract.template import TemplateError, render_arguments
from worker.actions import ACTIONS
from worker.actions.action import ActionResult, Context
from worker.ledger import Begun, Ledger
from worker.proc import boot_clock
from worker.redaction import Redactor
from worker.root import Root
from worker.view import UndecidedError, View, brief

MAX_INTERRUPTIONS = 3  # a step that was cut off so often is not run again
MAX_OUTPUT = 16_384  # characters of a command's output in a report

_FIRST_LOOK_S, _LONGEST_PAUSE_S = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Which step of which pass of which run: how the ledger finds it again."""

    run_id: str
    item: int
    step: int

    @property
    def marker(self) -> str:
        """Return what every process of this step carries in its environment."""
        return f"{self.run_id}:{self.item}:{self.step}"


@dataclass(frozen=True, slots=True)
class Tools:
    """What carrying out a step needs of its surroundings."""

    root: Root
    ledger: Ledger
    lock_path: Path  # held while an action's processes live
    pause: Callable[[float], None]  # sleeps so many seconds, taking letters in meanwhile
    await_readable: Callable[[int], None]  # waits for a descriptor, taking letters in meanwhile
    is_stopping: Callable[[], bool]  # the executor was asked to end: park between two steps


@dataclass(frozen=True, slots=True)
class Setting:
    """What the steps of one pass share."""

    view: View
    texts: Mapping[str, Any]  # the values of every `${…}`, secrets among them
    redactor: Redactor
    check: bool
    deadline: float  # of the whole run, on the boot clock


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
        self._begun: Begun | None = tools.ledger.step(place.run_id, place.item, place.step)
        self._interrupted = self._begun is not None
        self._action: ActionReport | None = None
        self._attempts = self._begun.attempts if self._begun else 0

    def carry_out(self) -> StepReport:
        """Make the step's state hold, if need be, and tell how it went."""
        if self._begun and self._begun.report is not None:
            return msgspec.json.decode(self._begun.report, type=StepReport)
        started_at = self._begun.started_at if self._begun else now_ms()
        self._setting.view.forget()
        try:
            verdict = self._verdict()
        except UndecidedError as error:
            verdict = _Verdict(StepOutcome.UNKNOWN, str(error))
        report = self._report(verdict, started_at)
        if self._attempts:
            place = self._place
            self._tools.ledger.end_step(
                place.run_id, place.item, place.step, msgspec.json.encode(report)
            )
        return report

    def _verdict(self) -> _Verdict:
        for phase in (self._resume, self._when, self._ensure, self._check_mode):
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
        if self._attempts >= MAX_INTERRUPTIONS * self._step.retry.attempts:
            return _Verdict(StepOutcome.UNKNOWN, f"interrupted {self._attempts} times; given up")
        return None

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
        retry = self._step.retry
        for attempt in range(retry.attempts):
            if attempt:
                self._tools.pause(min(retry.delay.total_seconds(), self._remaining()))
            if self._remaining() <= 0:
                return _Verdict(StepOutcome.TIMED_OUT, "the runbook's time is over")
            result = self._act(action.kind, arguments)
            self._setting.view.forget()
            if self._holds_within(self._step.within):
                return _Verdict(StepOutcome.CHANGED, _unlike_success(result))
        return self._not_reached(result)

    def _arguments(self, action: Action) -> msgspec.Struct:
        rendered = render_arguments(action.arguments, self._setting.texts)
        return msgspec.convert(rendered, KINDS[action.kind].arguments, strict=False)

    def _act(self, kind: str, arguments: msgspec.Struct) -> ActionResult:
        place = self._place
        self._tools.ledger.begin_step(place.run_id, place.item, place.step, now_ms())
        self._attempts += 1
        result = ACTIONS[kind](arguments, self._context())
        self._action = _action_report(kind, result, self._setting.redactor)
        return result

    def _context(self) -> Context:
        time_left = min(self._step.timeout, timedelta(seconds=max(self._remaining(), 0)))
        return Context(
            root=self._tools.root,
            timeout=time_left,
            marker=self._place.marker,
            lock_path=self._tools.lock_path,
            await_readable=self._tools.await_readable,
            pause=self._tools.pause,
        )

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
            if left <= 0:
                break
            self._tools.pause(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            self._setting.view.forget()
        if undecided:
            raise undecided
        return False

    def _not_reached(self, result: ActionResult) -> _Verdict:
        reason = self._why_not()
        if not result.ok:
            reason += f" ({result.summary})"
        if (result.ending and result.ending.timed_out) or self._remaining() <= 0:
            return _Verdict(StepOutcome.TIMED_OUT, reason)
        return _Verdict(StepOutcome.FAILED, reason)

    def _why_not(self) -> str:
        return "not so: " + "; ".join(self._setting.view.false_parts(self._step.ensure))

    def _remaining(self) -> float:
        return self._setting.deadline - boot_clock()

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
        )


def skipped(step: Step, reason: str) -> StepReport:
    """Return the report of a step that was not looked at."""
    return StepReport(name=step.name, outcome=StepOutcome.SKIPPED, reason=reason)


def _unlike_success(result: ActionResult) -> str:
    """Tell what an action said that did not look like success, though the state holds."""
    return "" if result.ok else f"the state holds, although {result.summary}"


def _action_report(kind: str, result: ActionResult, redactor: Redactor) -> ActionReport:
    summary = redactor.text(result.summary)[:4000]
    ending = result.ending
    if ending is None:
        return ActionReport(kind=kind, summary=summary)
    return ActionReport(
        kind=kind,
        summary=summary,
        exit_code=ending.exit_code,
        signal=ending.signal,
        timed_out=ending.timed_out,
        stdout=_shorten(redactor.text(ending.stdout.text)),
        stderr=_shorten(redactor.text(ending.stderr.text)),
        stdout_bytes=ending.stdout.bytes,
        stderr_bytes=ending.stderr.bytes,
        # A digest would let secrets be guessed that were masked in the text.
        stdout_sha256="" if redactor.has_secrets else ending.stdout.sha256,
        stderr_sha256="" if redactor.has_secrets else ending.stderr.sha256,
    )


def _shorten(text: str) -> str:
    if len(text) <= MAX_OUTPUT:
        return text
    half = MAX_OUTPUT // 2
    return f"{text[:half]}\n… {len(text) - MAX_OUTPUT} characters left out …\n{text[-half:]}"
