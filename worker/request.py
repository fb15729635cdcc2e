"""Turns an order into what the host's policy is asked."""

from datetime import datetime

from contract.reach import reach
from worker.policy import SCHEDULER, Request
from worker.verdict import Accepted


def request_of(accepted: Accepted, now: int) -> Request:
    """Return what an order asks for at `now` (ms since 1970)."""
    order, runbook = accepted.order, accepted.runbook
    texts = {"run.id": order.run_id, "run.host": order.host} | runbook.texts(accepted.parameters)
    return Request(
        runbook=runbook,
        reach=reach(runbook, texts),
        protocol=order.v,
        roles=frozenset({SCHEDULER if order.via == "beat" else "operator"}),
        persons=1,
        moment=datetime.fromtimestamp(now / 1000).astimezone(),
    )
