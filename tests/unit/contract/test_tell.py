"""What a runbook tells people, and moments that need not be given."""

import pytest

from tests.unit.contract.runbook_text import AGENT, STEP, complaints, unmarked

TELLING = "params: {at: {type: timestamp, default: \"\"}}\nreport: {advice: '\"do\"', count: '1'}\n"


@pytest.mark.parametrize(
    ("tell", "complaint"),
    [
        ("tell: [@@adivce]", "report has no 'adivce' to tell; did you mean 'advice'?"),
        ("tell: [advice, @@absent]", "report has no 'absent' to tell; known are: advice, count"),
        ("report: {count: @@'1'}\ntell: [count]", "must be a text, since `tell` names it"),
    ],
)
def test_lint_tell_names_texts_of_the_report(tell: str, complaint: str) -> None:
    head = TELLING if "report" not in tell else AGENT
    text, place = unmarked(f"name: x\n{head}{tell}\n{STEP}")
    assert complaints(text) == [f"{place}: {complaint}"]


def test_lint_moment_that_need_not_be_given_wants_its_guard() -> None:
    """A moment with a default, or one that must be given, needs none."""
    step = "steps: [{name: s, ensure: @@params.at < now}]\n"
    text, place = unmarked(f"name: x\n{TELLING}{step}")
    assert complaints(text) == [
        f"{place}: params.at is there only if params.at.given; write `params.at.given && …`"
    ]
    assert complaints(text.replace("params.at <", "params.at.given && params.at <")) == []
    assert complaints(text.replace(', default: ""', "")) == []
