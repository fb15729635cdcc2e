"""What happens when a schedule is due: an ordinary run, signed by the beat identity."""

import structlog

from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SigningKey
from orchestrator.home import BEAT, Home
from orchestrator.schedule import Schedule
from orchestrator.secret.source import providers, read_secrets
from orchestrator.store.record import Firing, Via
from orchestrator.store.runs import SlotTakenError
from orchestrator.store.store import Store, StoreError
from orchestrator.submission import Submission, submit

MISSED_MS = 5 * 60_000  # a moment that passed longer ago is told as missed, not made up for

_log = structlog.get_logger(__name__)


class Trigger:
    """Fires schedules: once per moment, however many beats there are."""

    def __init__(self, home: Home, store: Store, key: SigningKey) -> None:
        """Sign with the beat's key; look for runbooks as a person in this home would."""
        self._home = home
        self._store = store
        self._key = key

    def fire(self, schedule: Schedule, slot: int) -> None:
        """Make the run that is due at `slot`, or note why there is none. Raises StoreError."""
        now = now_ms()
        with structlog.contextvars.bound_contextvars(schedule=schedule.name):
            if now - slot > MISSED_MS:
                self._note(schedule, slot, "missed: no beat was running at the time")
                return
            try:
                run = submit(self._submission(schedule, slot), self._key, self._store)
            except SlotTakenError:
                _log.info("fired_elsewhere")
            except StoreError:
                raise  # nothing is noted, so it stays due
            except DenreiError as error:
                self._note(schedule, slot, str(error))
            else:
                _log.info("fired", run=run.run_id)

    def _submission(self, schedule: Schedule, slot: int) -> Submission:
        found = self._home.library().find(schedule.runbook)
        return Submission(
            runbook=found.load(),
            source=found.file,
            hosts=schedule.selector.select(self._store.hosts.targets()),
            operator=BEAT,
            params=schedule.params,
            secrets=read_secrets(schedule.secrets, providers(self._home, self._store)),
            check=schedule.check,
            reason=schedule.reason or f"schedule {schedule.name}",
            via=Via.BEAT,
            expires_in=schedule.expires_in,
            schedule=schedule.name,
            slot=slot,
        )

    def _note(self, schedule: Schedule, slot: int, why: str) -> None:
        firing = Firing(schedule=schedule.name, slot=slot, at=now_ms(), error=why)
        if self._store.firings.note(firing):
            _log.warning("did_not_run", reason=why)
