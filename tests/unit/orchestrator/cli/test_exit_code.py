"""A run's exit code says the gravest thing that happened."""

import pytest

from contract.outcome import HostRunState as State
from contract.outcome import StepOutcome as Outcome
from orchestrator.cli.exit_code import MEANING, ExitCode, code_of_run, epilog


@pytest.mark.parametrize(
    ("states", "outcomes", "code"),
    [
        ([State.SUCCEEDED], [Outcome.OK], 0),
        ([State.SUCCEEDED, State.SUCCEEDED], [Outcome.CHANGED, Outcome.OK], 0),
        ([State.SUCCEEDED], [Outcome.WOULD_CHANGE], 8),
        ([State.FAILED, State.REFUSED, State.UNKNOWN], [Outcome.FAILED], 3),
        ([State.REFUSED, State.EXPIRED], [None], 6),
        ([State.UNKNOWN, State.SUCCEEDED], [Outcome.WOULD_CHANGE], 4),
        ([State.EXPIRED], [None], 4),
        ([State.CANCELLED], [Outcome.CANCELLED], 4),
    ],
)
def test_code_of_run_gravest_host_run_decides(
    states: list[State], outcomes: list[Outcome | None], code: int
) -> None:
    """Failed outweighs refused, refused outweighs undecided, undecided outweighs pending."""
    assert code_of_run(states, outcomes) == code


def test_epilog_names_every_code() -> None:
    """The help page documents each exit code there is."""
    assert set(MEANING) == set(ExitCode)
    assert all(str(code.value) in epilog() for code in ExitCode)
