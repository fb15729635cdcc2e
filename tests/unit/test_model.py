"""Whatever happens, in whatever order: the promises of the small model are kept."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from tests.campaign.campaign import Scale
from tests.campaign.machine import Machine
from tests.campaign.model import run_batch, try_model
from worker.gate import Gate
from worker.ledger import Ledger


def test_model_keeps_its_promises_whatever_happens() -> None:
    tally = try_model(Scale.SMOKE, 1)
    assert tally.violations == ()
    assert tally.counts["model_examples"] >= 30


@pytest.mark.parametrize(
    ("owner", "name", "instead", "seen"),
    [
        (Ledger, "begin_step", lambda *_: None, "attempts told"),
        (Gate, "permit", lambda *_: None, "after it had expired"),
    ],
)
def test_model_sees_what_goes_wrong_without_a_rule(
    owner: type[Any], name: str, instead: Callable[..., None], seen: str
) -> None:
    """A suite that can't fail is none: the journal and the expiry are left out."""
    with patch.object(owner, name, instead):
        _, wrong = run_batch(Machine, 7000, 100, shrink=False)
    assert seen in wrong
