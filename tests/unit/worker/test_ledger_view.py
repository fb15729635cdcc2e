"""A look at the ledger from outside, while an executor holds it or when none does."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.worker.ledgers import MINUTE, NOW, accept
from worker.ledger import Ledger
from worker.ledger_file import LedgerError
from worker.ledger_view import LedgerView


def test_acknowledged_report_is_sent_no_more_and_kept_for_the_history(
    ledger: Ledger, ledger_path: Path
) -> None:
    accept(ledger)
    ledger.end("RUN1", "digest of the report", b"report")
    assert ledger.acknowledge("digest of the report")
    assert not ledger.acknowledge("digest of the report")
    assert ledger.unacknowledged() == []
    (past,) = LedgerView(ledger_path).history(10)
    assert (past.state, past.report, past.acknowledged) == ("ended", b"report", True)


def test_view_counts_what_waits_runs_and_is_owed_while_the_ledger_is_open(
    ledger: Ledger, ledger_path: Path
) -> None:
    view = LedgerView(ledger_path)
    assert view.standing().newest_signed_at is None
    for name in ("ENDED", "RUNNING", "WAITING", "LATER"):
        entry = accept(ledger, name)
    ledger.begin(replace(entry, run_id="RUNNING", started_at=NOW))
    ledger.end("ENDED", "a digest", b"report")
    standing = view.standing()
    counts = (standing.waiting, standing.running, standing.unacknowledged)
    assert counts == (2, 1, 1)
    assert (standing.damage, standing.newest_signed_at) == ("", NOW)
    assert standing.size > 0
    assert standing.free > 0


def test_view_of_a_closed_ledger_leaves_no_file_behind(ledger: Ledger, ledger_path: Path) -> None:
    """Files that another user made would bar the executor."""
    accept(ledger)
    ledger.close()
    assert LedgerView(ledger_path).standing().waiting == 1
    assert [entry.name for entry in ledger_path.parent.iterdir()] == ["ledger.db"]


def test_view_tells_how_much_was_pruned(ledger: Ledger, ledger_path: Path) -> None:
    accept(ledger)
    ledger.end("RUN1", "a digest", b"report")
    ledger.acknowledge("a digest")
    assert LedgerView(ledger_path).pruned() == 0
    accept(ledger, "NEW", NOW + 17 * MINUTE)
    ledger.prune()
    assert LedgerView(ledger_path).pruned() == 1
    assert [past.run_id for past in LedgerView(ledger_path).history(10)] == ["NEW"]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_view_of_what_is_no_ledger_is_an_error(ledger_path: Path, content: bytes) -> None:
    ledger_path.write_bytes(content)
    with pytest.raises(LedgerError, match="the ledger"):
        LedgerView(ledger_path).standing()


def damage_in(ledger_path: Path) -> str | None:
    """What a look at a ledger finds wrong."""
    try:
        return LedgerView(ledger_path).standing().damage
    except LedgerError as error:
        return str(error)


def test_view_finds_damage_or_an_error_and_never_calls_it_well(
    ledger: Ledger, ledger_path: Path
) -> None:
    for number in range(40):
        accept(ledger, f"RUN{number}")
    ledger.close()
    with ledger_path.open("r+b") as file:
        file.seek(ledger_path.stat().st_size // 2)
        file.write(os.urandom(4096))
    assert damage_in(ledger_path)
