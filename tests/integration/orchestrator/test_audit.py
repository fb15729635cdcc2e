"""Verifying all that is stored."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from contract.outcome import HostRunState
from orchestrator.audit import Audit, verify_all
from orchestrator.inventory import Inventory
from orchestrator.ping import send_ping
from orchestrator.store.record import Kind, Via
from tests.orchestrator_house import House, runbook


def audit(house: House) -> Audit:
    return verify_all(house.store)


def full_house(house: House) -> None:
    """Store one letter of every kind."""
    host, recorder = house.hosts["web1"], house.recorder()
    run = house.submit()
    asked = send_ping(
        Inventory(house.store).get("web1"), "alice", house.home.operator_key(), house.store
    )
    for letter in (
        host.receipt(house.order(run), HostRunState.RUNNING),
        host.report(house.order(run)),
        host.pong(asked.nonce),
        host.footing(),
        host.refusal(house.order(house.submit()), "policy_runbook"),
    ):
        recorder.record(letter)
    house.cancel(house.submit())


def tamper(house: House, *changes: str) -> None:
    """Change the file behind the store's back, its triggers taken away."""
    with closing(sqlite3.connect(house.home.path / "store.db")) as connection:
        for name in ("UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER envelopes_no_{name}")
        for change in changes:
            connection.execute(change)
        connection.commit()


def test_audit_of_all_kinds_of_letters_finds_nothing(house: House) -> None:
    full_house(house)
    result = audit(house)
    assert result.findings == ()
    assert set(result.counts) == set(Kind)
    assert result.checked == 11


def test_audit_letters_of_a_removed_host_still_verify(house: House) -> None:
    full_house(house)
    Inventory(house.store).remove("web1")
    assert audit(house).findings == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE envelopes SET data = replace(data, 'a', 'b') WHERE kind = 'report'", "its bytes"),
        ("UPDATE envelopes SET host = 'web2' WHERE kind = 'receipt'", "filed under 'web2'"),
        (
            "UPDATE envelopes SET run_id = 'other' WHERE kind = 'receipt'",
            "filed under the run other",
        ),
        ("UPDATE envelopes SET kind = 'pong' WHERE kind = 'refusal'", "not a kind of letter"),
        ("DELETE FROM envelopes WHERE seq = 1", "its letter is not in the store"),
        ("DELETE FROM host_keys", "a key nobody here trusts"),
    ],
)
def test_audit_change_behind_its_back_is_found(house: House, change: str, problem: str) -> None:
    full_house(house)
    tamper(house, change)
    problems = [finding.problem for finding in audit(house).findings]
    assert problems
    assert all(problem in found for found in problems)


def test_audit_order_signed_by_a_key_of_another_name_is_found(house: House) -> None:
    scheduled = replace(runbook(), unattended=True)
    house.submit(
        via=Via.BEAT, operator="beat", runbook=scheduled
    )  # but signed by the operator's key
    (finding,) = audit(house).findings
    assert "signed it for 'beat'" in finding.problem
