"""Whether a new run's orders leave for the broker, or what keeps them."""

import time
from contextlib import closing

from orchestrator.cli.advice import advice
from orchestrator.store.record import Run
from orchestrator.store.store import Store

_PATIENCE_S = 3.0  # the dispatcher tells within this time that the broker is out of reach
_LOOK_S = 0.2


def await_departure(store: Store, run: Run) -> str:
    """Wait until the orders have left; return what hinders them and until when they wait, if so."""
    until = time.monotonic() + _PATIENCE_S
    with closing(store.watch()) as watch:
        while not (said := advice(store, run.expires_at)):
            if not store.runs.is_leaving(run.run_id) or time.monotonic() >= until:
                break
            watch.wait(_LOOK_S)
    return said
