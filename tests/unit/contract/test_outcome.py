"""Outcomes: which end outweighs which, and what it makes of a host run."""

import itertools

import pytest

from contract.outcome import ENDING, SEVERITY, TERMINAL, HostRunState, StepOutcome, state_of, worst

ORDER = "failed unknown timed_out cancelled rolled_back would_change changed ok skipped"


def test_severity_is_the_order_that_the_design_fixes() -> None:
    assert " ".join(SEVERITY) == ORDER
    assert frozenset(SEVERITY) == frozenset(StepOutcome)
    assert " ".join(o for o in SEVERITY if o in ENDING) == ORDER.partition(" would")[0]


def test_worst_of_two_outcomes_is_the_graver_whichever_comes_first() -> None:
    for graver, lesser in itertools.combinations(SEVERITY, 2):
        expected = StepOutcome.OK if graver is StepOutcome.SKIPPED else graver
        assert worst([graver, lesser]) is worst([lesser, graver]) is expected


def test_worst_of_nothing_or_of_skipped_alone_is_ok() -> None:
    assert worst([]) is worst([StepOutcome.SKIPPED]) is StepOutcome.OK


@pytest.mark.parametrize("outcome", StepOutcome)
def test_state_of_every_outcome_is_terminal_and_success_only_for_good_ones(
    outcome: StepOutcome,
) -> None:
    """Not knowing is never success, nor is anything that ended a pass."""
    state = state_of(outcome)
    assert state in TERMINAL
    assert (state is HostRunState.SUCCEEDED) == (outcome not in ENDING)
    assert (state is HostRunState.UNKNOWN) == (outcome is StepOutcome.UNKNOWN)
