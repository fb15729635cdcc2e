"""One order carried out on this host: for each item one pass, step after step, then the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from contract.instant import to_datetime
from contract.outcome import ENDING, StepOutcome, worst
from contract.report import PassReport, StepReport
from contract.runbook import Runbook, Step
from worker.deadline import deadline_of
from worker.items import Found, Item, find_items
from worker.ledger import Entry
from worker.observations.observation import ObservationError
from worker.place import Place
from worker.redaction import Redactor
from worker.rescue import Rescue
from worker.runner import TIME_IS_OVER, StepRunner, cancelled, skipped, tell_changes
from worker.sightings import Looks, Sightings, gather
from worker.tools import Parked, Setting, Tools
from worker.verdict import Accepted
from worker.view import View, brief, lexicon_of

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What a host run came to."""

    outcome: StepOutcome
    passes: list[PassReport]
    notes: list[str]
    seen: Sightings = field(default_factory=Sightings)


class HostRun:
    """Carries out one accepted order; a second one after a crash goes on where the first was."""

    def __init__(self, accepted: Accepted, entry: Entry, tools: Tools) -> None:
        """Take the order and what the ledger knows of it."""
        self._accepted = accepted
        self._order = accepted.order
        self._runbook = accepted.runbook
        self._parameters = accepted.parameters
        self._entry = entry
        self._tools = tools
        self._lexicon = lexicon_of(accepted.runbook)
        self.redactor = Redactor(accepted.secrets)
        self._told: list[tuple[str, str]] = []  # an item, and what there is to tell of it
        self._looks: list[Looks] = []
        self._closed = ""  # why no further step of any pass is looked at

    def carry_out(self) -> Result:
        """Go over all items and return what came of it. Raises Parked between two steps."""
        try:
            found = self._items()
        except ObservationError as error:
            note = self.redactor.text(f"can't tell what to go over: {error}")
            return Result(StepOutcome.UNKNOWN, [], [note])
        deadline = deadline_of(self._entry, self._runbook.timeout)
        passes = [self._pass(at, item, deadline) for at, item in enumerate(found.items)]
        outcome = worst(step.outcome for report in passes for step in report.steps)
        seen = gather(self._looks, self.redactor)
        said = [*found.notes, *self._sentences(len(passes))]
        notes = [*map(self.redactor.text, said), *seen.notes]
        return Result(outcome, passes, notes, seen)

    def texts(self, item: Item | None) -> dict[str, Any]:
        """Return the values of every `${…}`, secrets among them."""
        texts = dict(self._accepted.texts)
        if item and self._runbook.for_each:
            name = self._runbook.for_each.item
            texts |= {f"{name}.name": item.name, f"{name}.path": item.path}
        return texts

    def kept_items(self) -> list[Item | None]:
        """Return the items as the ledger has them; one None without for_each."""
        if self._runbook.for_each is None:
            return [None]
        return [Item(*item) for item in self._tools.ledger.items(self._order.run_id)]

    def _items(self) -> "_Items":
        if self._runbook.for_each is None:
            return _Items([None], [])
        if kept := self.kept_items():
            return _Items(kept, self._tools.ledger.notes(self._order.run_id))
        found = self._find()
        if self._runbook.changes and found.items:
            rows = [(item.name, item.path) for item in found.items]
            self._tools.ledger.keep_items(self._order.run_id, rows, found.notes)
        return _Items(list(found.items), found.notes)

    def _find(self) -> Found:
        for_each = self._runbook.for_each
        assert for_each is not None  # noqa: S101 - _items has looked
        return find_items(for_each, self.texts(None), self._tools.root)

    def _pass(self, at: int, item: Item | None, deadline: float) -> PassReport:
        texts = self.texts(item)
        view = View(self._lexicon, self._runbook.observe, self._tools.root, texts)
        view.values |= self._values(texts)
        view.deadline = deadline
        self._looks.append(view.certificates)
        setting = Setting(
            view=view,
            texts=texts,
            redactor=self.redactor,
            check=self._order.check,
            deadline=deadline,
        )
        steps = list(self._steps(at, setting))
        name = self.redactor.text(item.name) if item else ""
        if any(step.outcome is StepOutcome.CANCELLED for step in steps):
            return PassReport(item=name, steps=steps)
        tell_changes(view, self._tools.ledger, Place(self._order.run_id, at, 0))
        view.forget()
        if self._has_begun(at):  # what was seen before an action, maybe by another executor, is old
            view.see_certificates()
        values = self._report(view)
        said = frozenset(step.reason for step in steps)
        self._told += [(name, text) for text in self._telling(view, values, said) if text]
        return PassReport(item=name, steps=steps, values=values)

    def _report(self, view: View) -> dict[str, Any]:
        values = {n: view.value(e) for n, e in (self._runbook.report or {}).items()}
        return dict(brief(self.redactor.tree(values)))

    def _telling(
        self, view: View, values: Mapping[str, Any], said: frozenset[str]
    ) -> Iterator[str]:
        """Yield what people are told; why something can't be told, unless a step says that."""
        for name in self._runbook.tell:
            why = "" if values[name] else view.why_unknown((self._runbook.report or {})[name])
            is_news = why and why not in said
            text = f"{name} is not known: {why}" if is_news else values[name] or ""
            yield brief(self.redactor.tree({name: text}))[name]

    def _sentences(self, passes: int) -> list[str]:
        """Return what there is to tell people; of several passes, after the item's name."""
        return [f"{item}: {text}" if passes > 1 else text for item, text in self._told]

    def _has_begun(self, at: int) -> bool:
        places = (Place(self._order.run_id, at, index) for index in range(len(self._runbook.steps)))
        return any(self._tools.ledger.step(place) for place in places)

    def _steps(self, at: int, setting: Setting) -> Iterator[StepReport]:
        closed = self._closed
        for index, step in enumerate(self._runbook.steps):
            place = Place(self._order.run_id, at, index)
            # What has begun is told in any case, though an earlier step may look different by now.
            if closed and self._tools.ledger.step(place) is None:
                yield skipped(step, closed)
                continue
            if self._is_taken_back(place):
                yield cancelled(step)
                continue
            if self._tools.is_stopping():
                raise Parked
            report = self._step(step, place, replace(setting, closed=closed))
            yield report
            closed = closed or self._why_closed(step, report, setting)

    def _step(self, step: Step, place: Place, setting: Setting) -> StepReport:
        with structlog.contextvars.bound_contextvars(step=step.name):
            report = StepRunner(step, place, setting, self._tools).carry_out()
            report = Rescue(step, place, setting, self._tools).carry_out(report)
            _log.info("step_ended", outcome=report.outcome, reason=report.reason)
        return report

    def _why_closed(self, step: Step, report: StepReport, setting: Setting) -> str:
        """Tell why the rest of the pass is skipped, if it is; without time, all other passes too.

        A runbook that changes nothing goes on: every answer is worth having.
        """
        if report.outcome is StepOutcome.TIMED_OUT and setting.remaining <= 0:
            self._closed = TIME_IS_OVER
            return TIME_IS_OVER
        is_cancelled = report.outcome is StepOutcome.CANCELLED  # the rest is told so, too
        if report.outcome in ENDING and self._runbook.changes and not is_cancelled:
            return f"{step.name!r} ended this pass"
        return ""

    def _is_taken_back(self, place: Place) -> bool:
        """Tell whether a step is not to begin; one that was begun must still be told of."""
        ledger = self._tools.ledger

        def is_cancelled() -> bool:
            return ledger.tombstone(place.run_id) is not None

        self._tools.pause(0, is_cancelled)  # the word may lie in the inbox
        return is_cancelled() and ledger.step(place) is None

    def _values(self, texts: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter in self._runbook.parameters:
            if not parameter.secret:
                values |= parameter.to_values(self._parameters[parameter.name])
        if self._runbook.for_each:
            item = self._runbook.for_each.item
            values |= {n: v for n, v in texts.items() if n.startswith(f"{item}.")}
        return values | {
            "run.id": self._order.run_id,
            "run.host": self._order.host,
            "run.check": self._order.check,
            "run.accepted_at": to_datetime(self._entry.accepted_at),
        }


def untouched(runbook: Runbook) -> Result:
    """Return the result of a run that was taken back before it began."""
    steps = [cancelled(step) for step in runbook.steps]
    passes = [] if runbook.for_each else [PassReport(steps=steps)]
    return Result(StepOutcome.CANCELLED, passes, [])


@dataclass(frozen=True, slots=True)
class _Items:
    """What to go over (None: the runbook as it is, once), and notes for the report."""

    items: list[Item | None]
    notes: list[str]
