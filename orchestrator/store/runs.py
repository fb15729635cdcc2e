"""Runs and host runs: made by one transaction per submission, read by everybody."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, literal, select
from sqlalchemy.exc import IntegrityError

from contract.outcome import TERMINAL, HostRunState, StepOutcome
from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database, StoreError
from orchestrator.store.record import HostRun, NewEnvelope, Run, RunSummary, Via
from orchestrator.store.row import to_row
from orchestrator.store.schema import firings, host_runs, runs

_PREFIX_LIMIT = 10


class SlotTakenError(StoreError):
    """A schedule has fired for this moment already."""


class Runs:
    """Reads and writes runs."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, run: Run, shares: Sequence[HostRun], orders: Sequence[NewEnvelope]) -> None:
        """Store a run, its host runs and their finished orders: all of it or nothing.

        Raises SlotTakenError if the run's schedule has fired for its slot already.
        """
        try:
            with self._database.writing() as connection:
                connection.execute(insert(runs).values(**_run_values(run)))
                connection.execute(insert(host_runs), [to_row(share) for share in shares])
                letters.append(connection, orders)
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

    def open_on(self, host: str) -> list[HostRun]:
        """Return a host's host runs that have not ended, the oldest first."""
        query = _select(reports=False).where(host_runs.c.host == host)
        query = query.where(host_runs.c.state.not_in(sorted(TERMINAL)))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(host_runs.c.run_id)).mappings()
            return [to_host_run(row) for row in rows]

    def list(
        self,
        limit: int = 50,
        host: str | None = None,
        runbooks: Sequence[str] = (),
        since: int | None = None,
    ) -> list[RunSummary]:
        """Return runs and how they stand, the newest first."""
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.run_id.desc()).limit(limit)
        if host is not None:
            on_host = select(host_runs.c.run_id).where(host_runs.c.host == host)
            query = query.where(runs.c.run_id.in_(on_host))
        if runbooks:
            query = query.where(runs.c.runbook.in_(runbooks))
        if since is not None:
            query = query.where(runs.c.created_at >= since)
        with self._database.reading() as connection:
            found = [to_run(row) for row in connection.execute(query).mappings()]
            return _summaries(connection, found)


def _fire(connection: Connection, run: Run) -> None:
    if run.schedule is not None:
        values = {"schedule": run.schedule, "slot": run.slot, "at": run.created_at}
        connection.execute(insert(firings).values(**values, run_id=run.run_id, error=""))


def _select(*, reports: bool) -> Select[Any]:
    columns = [c for c in host_runs.c if c.name != "report"]
    return select(*columns, host_runs.c.report if reports else literal(None).label("report"))


def _summaries(connection: Connection, found: Sequence[Run]) -> list[RunSummary]:
    ids = [run.run_id for run in found]
    states, outcomes = _counts(connection, ids, "state"), _counts(connection, ids, "outcome")
    cancelling = _open_ones(connection, ids, host_runs.c.cancel_sha256.is_not(None))
    awaiting = _open_ones(connection, ids, host_runs.c.awaits > 0)
    return [
        RunSummary(
            run=run,
            states={HostRunState(name): n for name, n in states[run.run_id].items()},
            outcomes={StepOutcome(name): n for name, n in outcomes[run.run_id].items()},
            cancelling=cancelling.get(run.run_id, 0),
            awaiting=awaiting.get(run.run_id, 0),
        )
        for run in found
    ]


def _counts(connection: Connection, ids: Sequence[str], column: str) -> dict[str, dict[str, int]]:
    """Return per run how many of its host runs have which value in a column."""
    value = host_runs.c[column]
    query = select(host_runs.c.run_id, value, func.count()).where(value.is_not(None))
    query = query.where(host_runs.c.run_id.in_(ids)).group_by(host_runs.c.run_id, value)
    counts: dict[str, dict[str, int]] = {run_id: {} for run_id in ids}
    for run_id, name, count in connection.execute(query):
        counts[run_id][name] = count
    return counts


def _open_ones(
    connection: Connection, ids: Sequence[str], condition: ColumnElement[bool]
) -> dict[str, int]:
    """Return per run how many of its open host runs are of a kind, if any are."""
    query = select(host_runs.c.run_id, func.count()).where(host_runs.c.run_id.in_(ids))
    query = query.where(condition)
    query = query.where(host_runs.c.state.not_in(sorted(TERMINAL)))
    rows = connection.execute(query.group_by(host_runs.c.run_id))
    return {run_id: count for run_id, count in rows}  # noqa: C416 - rows are no pairs to mypy


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
