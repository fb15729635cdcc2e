"""Celery beat with a scheduler of ours: it reads `schedules.yaml` and fires signed runs.

Which moments have fired is kept in the store, not in the broker: whoever can write to the broker
must not choose what gets signed.
"""

import time
from pathlib import Path
from threading import Event
from typing import Any

import structlog
from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedstate
from celery.schedules import schedule as Period  # noqa: N812 - it is a class

from contract.error import DenreiError
from contract.instant import now_ms
from orchestrator.firing import Trigger
from orchestrator.schedule import Schedule, read_schedules
from orchestrator.store.store import Store, StoreError

_LONGEST_NAP_S = 1  # how soon a changed file is noticed

_log = structlog.get_logger(__name__)


class Entry(ScheduleEntry):
    """One schedule as celery beat handles it."""

    def __init__(self, plan: Schedule, since: int, app: Celery) -> None:
        """Be due at the plan's first moment after `since`."""
        period = Period(run_every=1.0, app=app)  # beat asks it for the time, and nothing else
        super().__init__(name=plan.name, task="denrei.fire", schedule=period, app=app)
        self.plan = plan
        self._beat_app = app
        self.slot = plan.next_after(since)

    def is_due(self) -> schedstate:
        """Tell whether it is due, and in how many seconds to ask again."""
        now = now_ms()
        if self.slot <= now:
            return schedstate(is_due=True, next=(self.plan.next_after(now) - now) / 1000)
        return schedstate(is_due=False, next=(self.slot - now) / 1000)

    def __next__(self, last_run_at: Any = None) -> "Entry":
        """Return the entry that waits for the next moment; what was missed meanwhile is gone."""
        return Entry(self.plan, now_ms(), self._beat_app)

    next = __next__


class FileScheduler(Scheduler):
    """A beat scheduler over a file, which it reads again when it changes."""

    producer = None  # type: ignore[assignment]  # nothing is published: beat must not connect

    def __init__(self, app: Celery, path: Path, store: Store, trigger: Trigger) -> None:
        """Take schedules from `path`, and what fired already from the store."""
        self._beat_app = app
        self._path = path
        self._store = store
        self._trigger = trigger
        self._text: bytes | None = None
        self.detail = ""
        super().__init__(app, max_interval=_LONGEST_NAP_S)

    def setup_schedule(self) -> None:
        """Read the file for the first time."""
        self.data: dict[str, Entry] = {}
        self._refresh()

    def tick(self, *_arguments: Any, **_options: Any) -> float:
        """Fire what is due; return for how long to sleep."""
        self._refresh()
        return float(super().tick())

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:  # noqa: ARG002
        """Fire one entry. What the store can't take now stays due."""
        if not isinstance(entry, Entry):
            return
        try:
            self._trigger.fire(entry.plan, entry.slot)
        except StoreError as error:
            _log.warning("not_fired", schedule=entry.plan.name, reason=str(error))
            self.data[entry.plan.name] = entry
            self._heap = None  # beat makes it anew from `data`
            time.sleep(_LONGEST_NAP_S)

    def _refresh(self) -> None:
        try:
            text = self._path.read_bytes() if self._path.exists() else b""
            if text == self._text:
                return
            self._text = text
            self._replace(read_schedules(text, str(self._path)))
            self.detail = ""
        except (DenreiError, OSError) as error:
            # The last good schedules go on.
            self.detail = str(error).splitlines()[0]
            _log.warning("schedules_unusable", reason=self.detail)

    def _replace(self, plans: list[Schedule]) -> None:
        latest = self._store.firings.latest()
        entries = {}
        for plan in plans:
            known = self.data.get(plan.name)
            if known is not None and known.plan == plan:
                entries[plan.name] = known
                continue
            fired = latest.get(plan.name)
            since = max(fired.slot, fired.at) if fired else now_ms()
            entries[plan.name] = Entry(plan, since, self._beat_app)
        self.data = entries
        self._heap = None
        _log.info("schedules_read", schedules=sorted(entries))


class Beat:
    """Runs celery beat over a home's schedules."""

    def __init__(self, path: Path, store: Store, trigger: Trigger) -> None:
        """Read schedules from `path` and fire them through `trigger`."""
        app = Celery("denrei-beat", set_as_current=False)
        self._scheduler = FileScheduler(app, path, store, trigger)

    @property
    def detail(self) -> str:
        """Return what hinders it, or nothing."""
        return self._scheduler.detail

    def run(self, stop: Event) -> None:
        """Fire schedules until told to stop."""
        while not stop.is_set():
            stop.wait(self._scheduler.tick())
