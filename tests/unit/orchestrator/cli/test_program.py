"""The program as a whole: what it imports, how it answers wrong usage, how it completes."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli.program import COMMANDS, program

_RUN = "from orchestrator.cli import main; main()"


def _denrei(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=os.environ | environment,
    )


def test_help_imports_nearly_nothing() -> None:
    """The help page needs neither the store, nor the broker, nor cryptography, nor rich."""
    script = (
        "import sys; from orchestrator.cli.failure import run_guarded\n"
        "from orchestrator.cli.program import program\n"
        "run_guarded(program, ['--help'])\n"
        "heavy = {'sqlalchemy', 'celery', 'cryptography', 'rich', 'msgspec', 'yaml', 'redis'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Exit codes:" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_has_help(name: str) -> None:
    """What the table promises can be imported, and each verb says what it does."""
    found = program.get_command(click.Context(program), name)
    assert found is not None
    verbs = found.commands.values() if isinstance(found, click.Group) else [found]
    assert all(verb.help for verb in verbs)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnbook"], "denrei: no such command: 'rnbook'; did you mean 'runbook'?"),
        (["--bogus"], "denrei: No such option"),
        (["runbook", "lint"], "denrei: Missing argument"),
    ],
)
def test_wrong_usage_is_one_line_and_exits_2(arguments: list[str], said: str) -> None:
    """Wrong usage is told in a line, with where to read more."""
    done = _denrei(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert "--help" in done.stderr
    assert done.stdout == ""


def test_no_arguments_shows_the_help_and_exits_2() -> None:
    """Asked for nothing, it says what could be asked for."""
    done = _denrei()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_version_names_denrei() -> None:
    """`--version` and `version` say the same."""
    assert _denrei("--version").stdout == _denrei("version").stdout
    assert _denrei("--version").stdout.startswith("denrei ")


def test_completion_script_completes_commands() -> None:
    """The printed script calls back, and the call names what can follow."""
    assert "_DENREI_COMPLETE=bash_complete" in _denrei("completion", "bash").stdout
    done = _denrei(_DENREI_COMPLETE="bash_complete", COMP_WORDS="denrei runb", COMP_CWORD="1")
    assert done.stdout == "plain,runbook\n"


def test_closed_pipe_is_quiet() -> None:
    """A reader that goes away early is no error to talk about."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -c '{_RUN}' --help | true"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == ""


def test_home_may_stand_last(tmp_path: os.PathLike[str]) -> None:
    """`--home` is understood before the noun and after the verb alike."""
    result = CliRunner().invoke(program, ["version", "--home", str(tmp_path)])
    assert result.exit_code == 0
