"""The word that a run has begun: said of what lasts, once, and of nothing else."""

import math

import pytest

import worker.onset
from contract.outcome import HostRunState
from contract.report import Receipt
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.ledger import Entry

ENTRY = Entry("0" * 26, "d" * 64, b"", 0, 0, None, None, 0)


def test_run_that_lasts_is_told_of_once(host: WorkerHost) -> None:
    with host.executor() as executor:
        onset = executor._onset
        onset.begin(ENTRY)
        eventually(lambda: onset.left_s == 0)
        onset.look()
        onset.look()
        assert onset.left_s == math.inf
    (receipt,) = host.heard(Receipt)
    assert (receipt.run_id, receipt.state) == (ENTRY.run_id, HostRunState.RUNNING)


def test_run_that_is_over_is_told_of_no_more(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.onset, "MOMENT_S", 60.0)
    with host.executor() as executor:
        onset = executor._onset
        onset.begin(ENTRY)
        assert 0 < onset.left_s <= 60
        onset.end()
        onset.look()
    assert host.heard(Receipt) == []
