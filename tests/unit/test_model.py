"""Whatever happens, in whatever order: the promises of the small model are kept."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from contract.report import Receipt
from orchestrator import progress
from orchestrator.store.incoming import Standing
from orchestrator.store.record import HostRun
from tests.campaign.campaign import Scale
from tests.campaign.model.campaign import run_batch, try_model
from tests.campaign.model.machine import Machine
from worker.gate import Gate
from worker.ledger import Ledger


@pytest.mark.timeout(300)  # it counts in what it does; the clock is there only for a hang
def test_model_keeps_its_promises_whatever_happens() -> None:
    tally = try_model(Scale.SMOKE, 1)
    assert tally.violations == ()
    assert tally.counts["model_examples"] >= 30


def undo_what_was_reported(standing: Standing, receipt: Receipt, _now: int) -> HostRun:
    changed = {"state": receipt.state, "ended_at": None, "reported_at": None, "report": None}
    return replace(standing.host_run, **changed)


@pytest.mark.parametrize(
    ("owner", "name", "instead", "seed", "seen"),
    [
        (Ledger, "begin_step", lambda *_: None, 5, "attempts told"),
        (Ledger, "cancelled_digest", lambda *_: None, 1000, "accepted after it had been cancelled"),
        (Gate, "permit", lambda *_: None, 1, "after it had expired"),
        (progress, "_after_receipt", undo_what_was_reported, 1000, "accepted, not reported"),
    ],
    ids=["no journal", "no tombstones", "no expiry", "a late receipt undoes a report"],
)
def test_model_sees_what_goes_wrong_without_a_rule(
    owner: Any, name: str, instead: Callable[..., Any], seed: int, seen: str
) -> None:
    """A model that can't fail is none: each time one rule of the product is left out.

    The seeds are such that it is seen soon; with seed 1000 all four are seen within 100 histories.
    """
    with patch.object(owner, name, instead):
        _, wrong = run_batch(Machine, seed, 50, shrink=False)
    assert seen in wrong
