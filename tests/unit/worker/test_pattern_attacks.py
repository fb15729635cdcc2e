"""What is made to take for ever: patterns and expressions of runbooks, and files that are read.

Each attempt runs in a process of its own, which must end.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.document import Position
from contract.expression import Expression, ExpressionError, Vocabulary
from contract.probe import File, Glob, Log
from contract.runbook import ForEach
from tests.deadline import ends
from tests.unit.worker.letters import NOW, Remembered, gate, letter, order
from worker.certificate.reading import read_certificate
from worker.certificate.witness import Unreadable
from worker.items import find_items
from worker.observations.file import observe_file
from worker.observations.glob import observe_glob
from worker.observations.log import observe_log
from worker.root import Root
from worker.scan.daemons import dovecot, postgres
from worker.scan.directive import read_braces
from worker.scan.renewal.dehydrated import directory
from worker.verdict import Reason, Refused

EVIL, VICTIM = "(a+)+$", "a" * 200 + "!"
RUNBOOK = f"""\
name: restart
params: {{p: {{pattern: '{EVIL}'}}}}
steps: [{{name: a, ensure: "params.p == ''"}}]
"""
LINES = 30_000
TEXTS = {
    "certificates that never end": "-----BEGIN CERTIFICATE-----\n" * LINES,
    "keys that never end": "-----BEGIN PRIVATE KEY-----\n" * LINES,
    "variables that never end": "${" * LINES,
    "a line of blanks": "name" + "\t" * LINES + "#",
    "an assignment of blanks": "BASEDIR=" + "/ " * LINES + '"#',
    "quotes that never end": 'a="' + '\\"' * LINES,
}


def try_parameter(_root: Path) -> None:
    blob = letter(order(runbook_yaml=RUNBOOK, params={"p": VICTIM}))
    with pytest.raises(Refused) as caught:
        gate().judge(blob, NOW, Remembered())
    assert caught.value.reason is Reason.BAD_PARAMETER


def try_file(root: Path) -> None:
    assert not observe_file(File("/victim", match=EVIL), Root(root))["matches"]


def try_log(root: Path) -> None:
    assert observe_log(Log("/victim", match=EVIL), Root(root))["count"] == 0


def try_glob(root: Path) -> None:
    assert observe_glob(Glob("/names/*", name=EVIL), Root(root))["count"] == 0


def try_for_each(root: Path) -> None:
    for_each = ForEach("x", glob="/names/*", name=EVIL, tell=EVIL)
    assert find_items(for_each, {}, Root(root)).items == []


def try_shell_patterns(root: Path) -> None:
    assert observe_glob(Glob("/names/" + "*a" * 100 + "*b"), Root(root))["count"] == 0


def try_expression(_root: Path) -> None:
    grown = "".join(f".map(x{each}, x{each} + x{each})" for each in range(60))
    lists = "".join(f".map(x{each}, [x{each}, x{each}])" for each in range(60))
    for source in (
        f"'{VICTIM}'.matches('{EVIL}')",
        _nested_loops(8),
        '\\"' * LINES,
        f"['x']{grown}[0] == ''",
        f"['x']{lists} == ['x']{lists}",
    ):
        expression = Expression(source, Position(1, 1))
        list(expression.places())
        try:
            assert not Vocabulary({}).compile(expression).holds({})
        except ExpressionError as error:
            print(error)


def _nested_loops(depth: int) -> str:
    many = f"[{', '.join(map(str, range(100)))}]"
    return "".join(f"{many}.all(x{each}, " for each in range(depth)) + "false" + ")" * depth


def try_files(root: Path) -> None:
    """Files that a local user may write, and a scan or an observation of root's reads."""
    for text in TEXTS.values():
        (root / "file").write_text(text)
        assert isinstance(read_certificate(root / "file"), Unreadable)
        for read in (read_braces, dovecot.read_settings, postgres.read_settings):
            list(read(text, "file"))
        directory(text)


ATTEMPTS: dict[str, Callable[[Path], None]] = {
    "the pattern of a parameter, at the gate": try_parameter,
    "the pattern of a line in a file": try_file,
    "the pattern of a line in a log": try_log,
    "the pattern of a name": try_glob,
    "the patterns of for_each": try_for_each,
    "a path of a hundred stars": try_shell_patterns,
    "an expression": try_expression,
    "a certificate or a configuration": try_files,
}


@pytest.mark.parametrize("attack", ATTEMPTS)
def test_what_is_made_to_take_for_ever_ends(attack: str, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text(f"{VICTIM}\n" * 100)
    (tmp_path / "names" / VICTIM).mkdir(parents=True)
    assert ends(ATTEMPTS[attack], tmp_path)
