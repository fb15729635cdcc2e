"""What a runbook says of itself: how much harm it can do, and whether somebody must be there."""

from contract.runbook import Risk
from tests.unit.contract.runbook_text import AGENT, STEP, complaints, load


def test_runbook_that_says_nothing_is_of_normal_risk_and_needs_somebody_there() -> None:
    runbook = load(f"name: x\n{STEP}")
    assert (runbook.risk, runbook.unattended) == (Risk.NORMAL, False)


def test_risk_and_leave_to_run_unattended_are_read() -> None:
    assert load(f"name: x\nrisk: high\n{AGENT}{STEP}").risk is Risk.HIGH
    assert load(f"name: x\nunattended: true\n{AGENT}{STEP}").unattended is True


def test_risk_and_unattended_of_another_kind_are_told_with_their_place() -> None:
    assert complaints(f"name: x\nrisk: hihg\nunattended: yes\n{STEP}") == [
        "2:7: risk can't be 'hihg'; did you mean 'high'?",
        "3:13: unattended must be true or false",
    ]


def test_runbook_of_high_risk_can_t_be_unattended() -> None:
    """Nobody is there who could be asked for the consent that it needs."""
    assert complaints(f"name: x\nrisk: high\nunattended: true\n{STEP}") == [
        "3:13: a runbook of high risk needs people's consent: it can't be unattended"
    ]
