"""The small model: what Denrei promises, held against what is seen to happen."""

from collections import Counter
from dataclasses import dataclass, field

from contract.outcome import HostRunState, StepOutcome
from contract.report import Report, StepReport

DONE, RERUN = (StepOutcome.OK, StepOutcome.CHANGED), "second"  # the one step that may run again
GIVEN_UP = 10  # interruptions, after which a run may be reported as unknown without its steps


@dataclass(slots=True)
class Run:
    """What the model knows of one published run."""

    number: int
    expires_at: int
    succeeds: bool  # if nothing comes in between
    check: bool
    accepted: int = 0
    begun: int = 0
    cancelled: bool = False  # somebody asked for it
    buried: bool = False  # its host honours a tombstone
    interruptions: int = 0  # as its host has counted them
    effects: Counter[str] = field(default_factory=Counter)  # by step
    reports: set[str] = field(default_factory=set)  # digests

    def __str__(self) -> str:
        return f"run {self.number}"


class Laws:
    """Is told of everything that lasts, and says which promise is broken."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.broken: list[str] = []
        self.counter = 0

    def accepted(self, run_id: str) -> None:
        run = self.runs[run_id]
        run.accepted += 1
        self._law(run.accepted == 1, f"{run} was accepted {run.accepted} times")
        self._law(not run.buried, f"{run} was accepted after it had been cancelled")

    def buried(self, run_id: str) -> None:
        """Hear that the host has a tombstone in its ledger."""
        run = self.runs[run_id]
        self._law(run.cancelled, f"{run} was cancelled by nobody")
        run.buried = run.buried or not run.reports

    def begun(self, run_id: str, now: int) -> None:
        run = self.runs[run_id]
        run.begun += 1
        self._law(run.begun == 1, f"{run} began {run.begun} times")
        self._law(not run.buried, f"{run} began after it had been cancelled")
        late = now - run.expires_at
        self._law(late < 0, f"{run} began {late} ms after it had expired by the host's clock")

    def effect(self, run_id: str, step: str) -> None:
        run = self.runs[run_id]
        run.effects[step] += 1
        seen = run.effects[step]
        self._law(not run.check, f"{run} was to check only, and did {step}")
        self._law(not run.buried, f"{run} did {step} after it had been cancelled")
        self._law(bool(run.begun), f"{run} did {step} before it began")
        self._law(seen == 1 or step == RERUN, f"{run} did {step} {seen} times")

    def interrupted(self, run_id: str) -> None:
        run = self.runs[run_id]
        run.interruptions += 1
        self._law(bool(run.begun), f"{run} was interrupted before it began")

    def reported(self, report: Report, digest: str) -> None:
        """Hear of a report, each time it is seen: when the run ends, and when it is sent."""
        run = self.runs[report.run_id]
        if digest in run.reports:
            return
        run.reports.add(digest)
        self._law(len(run.reports) == 1, f"{run} has {len(run.reports)} different reports")
        self._law(report.counter == self.counter + 1, f"{run}: report number {report.counter}")
        self.counter = max(self.counter, report.counter)
        self._check_report(run, report)

    def ended(self, run_id: str, state: HostRunState, report: Report | None) -> None:
        """Hear at the very end what the orchestrator makes of a run."""
        run = self.runs[run_id]
        self._law(bool(run.accepted) == bool(report), f"{run} is {state}: accepted, not reported")
        if report:
            self._law(state is report.state, f"{run} is {state}, but was reported {report.state}")
            return
        silent = state in (HostRunState.EXPIRED, HostRunState.REFUSED)
        taken_back = state is HostRunState.CANCELLED and run.cancelled
        self._law(silent or taken_back, f"{run} is {state}, though the host never accepted it")
        self._law(not run.effects, f"{run} is {state}, and did {dict(run.effects)}")

    def _check_report(self, run: Run, report: Report) -> None:
        steps = [step for each in report.passes for step in each.steps]
        for step in steps:
            self._check_step(run, step)
        taken_back = report.state is HostRunState.CANCELLED
        self._law(run.buried or not taken_back, f"{run} is {report.state} without a tombstone")
        if run.begun and not steps:
            given_up = run.interruptions >= GIVEN_UP and report.state is HostRunState.UNKNOWN
            self._law(given_up, f"{run} began and is {report.state} without steps: {report.reason}")
        elif not run.begun:
            untouched = report.state in (HostRunState.EXPIRED, HostRunState.REFUSED)
            self._law(untouched or taken_back, f"{run} never began and is {report.state}")
        elif not run.interruptions and not run.buried:
            self._law(run.check is report.check, f"{run} is reported as the wrong kind of run")
            succeeded = report.state is HostRunState.SUCCEEDED
            expected = run.succeeds or run.check
            self._law(succeeded is expected, f"{run}, undisturbed, is {report.state}")

    def _check_step(self, run: Run, step: StepReport) -> None:
        seen, what = run.effects[step.name], f"{run}: {step.name} is {step.outcome}"
        self._law(seen <= step.attempts, f"{what}, {seen} effects, {step.attempts} attempts told")
        self._law(seen <= 1 or step.interrupted, f"{what} after {seen} effects, uninterrupted")
        if step.outcome is StepOutcome.CHANGED:
            self._law(seen > 0, f"{what} without an effect")
        if step.outcome in (StepOutcome.OK, StepOutcome.SKIPPED, StepOutcome.WOULD_CHANGE):
            self._law(not seen, f"{what} after {seen} effects")

    def _law(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a law holds or not
        if not holds:
            self.broken.append(otherwise)
