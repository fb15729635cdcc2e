"""What `denrei-worker history --run` tells of a step's action."""

import pytest

from contract.outcome import HostRunState, StepOutcome
from contract.report import ActionReport, PassReport, Report, StepReport
from worker.history import Deed
from worker.history_view import show_deed
from worker.ledger_view import Past

RUN = "01M4Z8M0000000000000000000"


def test_an_exit_code_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    action = ActionReport(kind="command", summary="exit code 4", exit_code=4)
    step = StepReport(name="s", outcome=StepOutcome.CHANGED, action=action)
    report = Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=RUN,
        order_sha256="0" * 64,
        counter=1,
        state=HostRunState.SUCCEEDED,
        outcome=StepOutcome.CHANGED,
        check=False,
        accepted_at=1,
        started_at=2,
        ended_at=3,
        passes=[PassReport(steps=[step])],
    )
    past = Past(RUN, "ended", 1, 2, b"", b"", 1)
    show_deed(Deed(past, None, report), "table")
    assert capsys.readouterr().out.endswith("  changed       s\n                exit code 4\n")
