"""Commands as parameters: a program and its words in one text, and no shell anywhere."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.parameter import Parameter, ParameterError, ParameterType
from contract.program import complaint_about_program, words_of
from contract.template import TemplateError, render_arguments
from tests.unit.contract.runbook_text import complaints

TEST = Parameter("test", ParameterType.COMMAND, default="")
RUNBOOK = """\
name: x
params:
  test: {type: command, default: ""}
  word: {default: ""}
observe: {seen: {command: [/bin/true]}}
steps:
  - name: a
    ensure: seen.exists
    do: {command: %s}
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/usr/sbin/nginx -t", ("/usr/sbin/nginx", "-t")),
        ("  /bin/x  'a b' \"c d\" e\\ f ", ("/bin/x", "a b", "c d", "e f")),
        (
            "/bin/x $HOME `id` a;b >c | d #e",
            ("/bin/x", "$HOME", "`id`", "a;b", ">c", "|", "d", "#e"),
        ),
        ('"/opt/my app/x" ""', ("/opt/my app/x", "")),
    ],
)
def test_command_is_split_into_words_and_nothing_else(text: str, words: tuple[str, ...]) -> None:
    assert TEST.accept(text) == text
    assert TEST.to_text(text) == words


@pytest.mark.parametrize("text", ["nginx -t", "bin/x", "/bin/../sh", "//bin/x", "/bin/x 'y", " "])
def test_command_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="is no command"):
        TEST.accept(text)


def test_command_of_too_many_words_is_refused() -> None:
    assert complaint_about_program("/bin/x" + " y" * 255) == ""
    assert "more than 256 words" in complaint_about_program("/bin/x" + " y" * 256)


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=9))
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    assert words_of(shlex.join(words)) == tuple(words)


def test_command_stands_for_its_words_and_further_ones_may_follow() -> None:
    values = {"params.test": TEST.to_text("/bin/x -t 'a b'"), "params.word": "-v"}
    rendered = render_arguments({"argv": ["${params.test}", "-q", "c"]}, values)
    assert rendered == {"argv": ["/bin/x", "-t", "a b", "-q", "c"]}
    with pytest.raises(TemplateError, match="take for an option"):
        render_arguments({"argv": ["${params.test}", "${params.word}"]}, values)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ('["${params.test}"]', ""),
        ('["${params.test}", -q, "${params.word}"]', ""),
        ('["${params.word}"]', "9:20: the program must be an absolute path"),
        ('["${params.test}x"]', "9:20: the program must be an absolute path"),
        ('[/bin/x, "${params.test}"]', "9:28: params.test is a command and may only stand, alone"),
        ('[/bin/x, "--test=${params.test}"]', "9:28: params.test is a command"),
        ('["${params.tst}"]', "9:20: ${params.tst} is unknown here"),
    ],
)
def test_command_may_stand_at_the_head_alone(argv: str, complaint: str) -> None:
    told = complaints(RUNBOOK % argv)
    assert [line for line in told if line.startswith(complaint)] == told[:1]
    assert bool(told) == bool(complaint)


def test_command_stands_in_no_lock() -> None:
    (told,) = complaints("lock: 'x:${params.test}'\n" + RUNBOOK % "[/bin/x]")
    assert told.startswith("1:7: ${params.test} is unknown here")
