"""What the executor says: signed, bounded, and never more than the recorder can take."""

from pathlib import Path

import pytest

from contract.envelope import MAX_BYTES
from contract.key import SigningKey
from contract.outcome import HostRunState, StepOutcome
from contract.report import ActionReport, PassReport, Report, StepReport
from tests.unit.worker.steps import FLAG, only_step
from tests.worker_host import WorkerHost
from worker.answers import Answers
from worker.config import Config
from worker.mailbox import Care, Mailbox
from worker.membership import load_membership


def answers_of(config: Config, outbox: Path) -> Answers:
    membership = load_membership(config)
    return Answers(lambda: membership, SigningKey.load(config.sign_key), Mailbox(outbox))


@pytest.fixture
def answers(host: WorkerHost) -> Answers:
    return answers_of(host.config, host.config.outbox)


def report_of(passes: int, steps: int, output: int, reason: int) -> Report:
    """Return a report of some size."""
    action = ActionReport(kind="command", summary="exit code 0", stdout="x" * output)
    each = [
        StepReport(
            name=f"step {n}", outcome=StepOutcome.CHANGED, action=action, reason="y" * reason
        )
        for n in range(steps)
    ]
    return Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id="0" * 26,
        order_sha256="0" * 64,
        counter=1,
        state=HostRunState.SUCCEEDED,
        outcome=StepOutcome.CHANGED,
        check=False,
        accepted_at=0,
        started_at=0,
        ended_at=0,
        passes=[PassReport(item=f"item {n}", steps=each) for n in range(passes)],
    )


@pytest.mark.parametrize(
    ("size", "note"),
    [
        ((1, 3, 1000, 10), None),
        ((1, 20, 16_000, 10), "the output of the commands was too long"),
        ((1, 90, 0, 4000), "the details of the steps were too long"),
        ((300, 100, 0, 10), "30000 steps are too many"),
    ],
)
def test_report_of_any_size_fits_an_envelope_and_keeps_its_outcome(
    host: WorkerHost, answers: Answers, size: tuple[int, int, int, int], note: str
) -> None:
    """A report that the recorder can't take would be lost, and be sent for ever."""
    letter = answers.signed_report(report_of(*size))
    assert len(letter) <= MAX_BYTES
    told = host.read(letter)
    assert told.outcome == StepOutcome.CHANGED
    assert told.state == HostRunState.SUCCEEDED
    if note:
        assert note in told.notes[0]


def test_report_that_is_too_long_still_says_how_its_steps_ended(
    host: WorkerHost, answers: Answers
) -> None:
    told = host.read(answers.signed_report(report_of(300, 100, 0, 10)))
    assert "30000 changed" in told.notes[0]


def test_long_output_is_cut_to_its_ends_and_measured(host: WorkerHost) -> None:
    host.tool("tool", "echo first; head -c 100000 /dev/zero | tr '\\0' x; echo last; touch flag")
    action = only_step(host.run(FLAG)).action
    assert action is not None
    assert action.stdout.startswith("first\n")
    assert action.stdout.endswith("last\n")
    assert len(action.stdout) < 17_000
    assert action.stdout_bytes == 100_011


def test_output_that_is_no_utf8_is_told_escaped(host: WorkerHost) -> None:
    host.tool("tool", "printf 'a\\377b\\0c\\033[31m'; touch flag")
    action = only_step(host.run(FLAG)).action
    assert action is not None
    assert action.stdout == "a\\xffb\0c\x1b[31m"


def test_answers_have_their_care(answers: Answers, host: WorkerHost) -> None:
    """A receipt is asked for again; a report is kept until it is acknowledged."""
    answers.receipt("0" * 26, "0" * 64, HostRunState.RUNNING)
    answers.post_report(answers.signed_report(report_of(1, 1, 0, 0)))
    assert sorted(path.suffix for path in host.outbox.letters()) == [Care.KEEP, Care.ONCE]


def test_post_report_into_a_missing_outbox_says_no(host: WorkerHost, tmp_path: Path) -> None:
    answers = answers_of(host.config, tmp_path / "gone")
    assert not answers.post_report(b"letter")
