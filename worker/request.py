"""Turns an order into what the host's policy is asked."""

from dataclasses import dataclass
from datetime import datetime

from worker.policy import Request
from worker.verdict import Accepted

SCHEDULER = "scheduler"  # the role that the orchestrator's scheduler counts as


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is behind an order, by the keyring that the host follows."""

    roles: frozenset[str]  # those by which the operator may order it
    persons: int  # the operator and those who approve it; two keys of one person count once


def request_of(accepted: Accepted, standing: Standing, now: int) -> Request:
    """Return what an order asks for at `now` (ms since 1970)."""
    return Request(
        runbook=accepted.runbook,
        reach=accepted.reach,
        protocol=accepted.order.v,
        roles=standing.roles,
        persons=standing.persons,
        moment=datetime.fromtimestamp(now / 1000).astimezone(),
    )
