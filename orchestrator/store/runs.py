"""Runs and host runs: made by one transaction per submission, read by everybody."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, literal, select
from sqlalchemy.exc import IntegrityError

from contract.outcome import TERMINAL, HostRunState, StepOutcome
from orchestrator.run_id import least_run_id
from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database, StoreError
from orchestrator.store.many import insert_many
from orchestrator.store.record import HostRun, NewEnvelope, Run, RunSummary, Via
from orchestrator.store.row import to_row
from orchestrator.store.schema import firings, host_runs, runs

_PREFIX_LIMIT = 10
_BATCH = 500  # host runs that are stored at once

_ADD_RUN = insert(runs)  # spelled once
_ADD_HOST_RUNS = insert_many(host_runs, host_runs.c.keys())

_Share = tuple[HostRun, NewEnvelope]


class SlotTakenError(StoreError):
    """A schedule has fired for this moment already."""


class Runs:
    """Reads and writes runs."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, run: Run, shares: Iterable[_Share]) -> None:
        """Store a run, its host runs and their finished orders: all of it or nothing.

        However many there are, memory holds a batch of them. Raises SlotTakenError if the run's
        schedule has fired for its slot already.
        """
        try:
            with self._database.writing(rings=True) as connection:
                connection.execute(_ADD_RUN, _run_values(run))
                for batch in _batches(shares):
                    _ADD_HOST_RUNS.execute(connection, [to_row(share) for share, _ in batch])
                    letters.append(connection, [order for _, order in batch])
                _fire(connection, run)
        except IntegrityError as error:
            if run.schedule is None:
                raise StoreError(f"the store refuses the run: {error.orig}") from error
            raise SlotTakenError(f"{run.schedule} has fired for this moment already") from None

    def get(self, run_id: str) -> Run | None:
        """Return a run by its id."""
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings().first()
            return to_run(row) if row else None

    def find(self, prefix: str) -> list[Run]:
        """Return the newest runs whose id begins like this, ten at most."""
        query = select(runs).where(runs.c.run_id.startswith(prefix, autoescape=True))
        query = query.order_by(runs.c.run_id.desc()).limit(_PREFIX_LIMIT)
        with self._database.reading() as connection:
            return [to_run(row) for row in connection.execute(query).mappings()]

    def summary(self, run_id: str) -> RunSummary | None:
        """Return a run and how its host runs stand."""
        with self._database.reading() as connection:
            rows = connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings()
            found = _summaries(connection, [to_run(row) for row in rows])
            return found[0] if found else None

    def host_runs(self, run_id: str, *, reports: bool = True) -> list[HostRun]:
        """Return a run's host runs by host; without the reports' texts if they are not wanted."""
        query = (
            _select(reports=reports).where(host_runs.c.run_id == run_id).order_by(host_runs.c.host)
        )
        with self._database.reading() as connection:
            return [to_host_run(row) for row in connection.execute(query).mappings()]

    def host_run(self, run_id: str, host: str) -> HostRun | None:
        """Return one host's share of a run."""
        query = select(host_runs).where(host_runs.c.run_id == run_id, host_runs.c.host == host)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
            return to_host_run(row) if row else None

    def is_leaving(self, run_id: str) -> bool:
        """Tell whether an order of a run is still to be put into a queue for the first time."""
        c = host_runs.c
        unsent = (c.run_id == run_id) & (c.state == HostRunState.QUEUED) & (c.publishes == 0)
        is_wanted = (c.awaits == 0) | c.cancel_sha256.is_not(None)
        query = select(c.host).where(unsent, is_wanted).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def open_on(self, host: str) -> list[HostRun]:
        """Return a host's host runs that have not ended, the oldest first."""
        query = _select(reports=False).where(host_runs.c.host == host)
        query = query.where(host_runs.c.state.not_in(sorted(TERMINAL)))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(host_runs.c.run_id)).mappings()
            return [to_host_run(row) for row in rows]

    def list(
        self,
        *,
        limit: int = 50,
        host: str | None = None,
        runbooks: Sequence[str] = (),
        since: int | None = None,
        before: str | None = None,
    ) -> list[RunSummary]:
        """Return runs and how they stand, the newest first; those before a run to go on from it."""
        query, run_id = select(runs), runs.c.run_id
        if host is not None:
            run_id = host_runs.c.run_id
            query = query.join(host_runs).where(host_runs.c.host == host)
        if runbooks:
            query = query.where(runs.c.runbook.in_(runbooks))
        if since is not None:
            query = query.where(run_id >= least_run_id(since))
        if before is not None:
            query = query.where(run_id < before)
        query = query.order_by(run_id.desc()).limit(limit)
        with self._database.reading() as connection:
            found = [to_run(row) for row in connection.execute(query).mappings()]
            return _summaries(connection, found)


def _batches(shares: Iterable[_Share]) -> Iterator[list[_Share]]:
    rest = iter(shares)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _fire(connection: Connection, run: Run) -> None:
    if run.schedule is not None:
        values = {"schedule": run.schedule, "slot": run.slot, "at": run.created_at}
        connection.execute(insert(firings).values(**values, run_id=run.run_id, error=""))


def _select(*, reports: bool) -> Select[Any]:
    columns = [c for c in host_runs.c if c.name != "report"]
    return select(*columns, host_runs.c.report if reports else literal(None).label("report"))


def _summaries(connection: Connection, found: Sequence[Run]) -> list[RunSummary]:
    groups: dict[str, list[_Group]] = {run.run_id: [] for run in found}
    for row in connection.execute(_groups(list(groups))):
        groups[row.run_id].append(_group(row))
    return [_summary(run, groups[run.run_id]) for run in found]


def _groups(ids: Sequence[str]) -> Select[Any]:
    """Count host runs that stand alike. The columns are those of one index, in its order."""
    c = host_runs.c
    alike = (c.run_id, c.state, c.outcome, c.awaits, c.cancel_kill)
    query = select(*alike, func.count().label("many")).where(c.run_id.in_(ids))
    return query.group_by(*alike)


@dataclass(frozen=True, slots=True)
class _Group:
    """How many host runs of a run stand alike, and how."""

    count: int
    state: HostRunState
    outcome: StepOutcome | None
    awaiting: bool
    cancelling: bool


def _group(row: Row[Any]) -> _Group:
    state = HostRunState(row.state)
    is_open, cancelled = state not in TERMINAL, row.cancel_kill is not None
    return _Group(
        count=row.many,
        state=state,
        outcome=StepOutcome(row.outcome) if row.outcome else None,
        awaiting=is_open and row.awaits > 0 and not cancelled,
        cancelling=is_open and cancelled,
    )


def _summary(run: Run, groups: Sequence[_Group]) -> RunSummary:
    states: Counter[HostRunState] = Counter()
    outcomes: Counter[StepOutcome] = Counter()
    for group in groups:
        states[group.state] += group.count
        if group.outcome is not None:
            outcomes[group.outcome] += group.count
    return RunSummary(
        run=run,
        states=states,
        outcomes=outcomes,
        cancelling=sum(group.count for group in groups if group.cancelling),
        awaiting=sum(group.count for group in groups if group.awaiting),
    )


def _run_values(run: Run) -> dict[str, object]:
    return {
        **to_row(run),
        "params": json.dumps(dict(run.params)),
        "secrets": json.dumps(run.secrets),
    }


def to_run(row: Mapping[Any, Any]) -> Run:
    """Make a run of its row."""
    values = {
        **row,
        "params": json.loads(row["params"]),
        "secrets": tuple(json.loads(row["secrets"])),
        "via": Via(row["via"]),
    }
    return Run(**values)


def to_host_run(row: Mapping[Any, Any]) -> HostRun:
    """Make a host run of its row."""
    outcome = row["outcome"]
    values = {
        **row,
        "state": HostRunState(row["state"]),
        "outcome": StepOutcome(outcome) if outcome else None,
    }
    return HostRun(**values)
