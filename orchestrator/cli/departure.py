"""Whether a new run's orders leave for the broker, or what keeps them."""

import time
from contextlib import closing

from contract.outcome import HostRunState
from orchestrator.cli.advice import advice
from orchestrator.store.record import HostRun, Run
from orchestrator.store.store import Store

_PATIENCE_S = 3.0  # the dispatcher tells within this time that the broker is out of reach
_LOOK_S = 0.2


def await_departure(store: Store, run: Run) -> str:
    """Wait until the orders have left; return what hinders them and until when they wait, if so."""
    until = time.monotonic() + _PATIENCE_S
    with closing(store.watch()) as watch:
        while not (said := advice(store, run.expires_at)):
            host_runs = store.runs.host_runs(run.run_id, reports=False)
            if all(map(_has_left, host_runs)) or time.monotonic() >= until:
                break
            watch.wait(_LOOK_S)
    return said


def _has_left(host_run: HostRun) -> bool:
    return host_run.publishes > 0 or host_run.awaiting or host_run.state is not HostRunState.QUEUED
