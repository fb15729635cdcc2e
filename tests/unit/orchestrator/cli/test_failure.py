"""Errors become one line and an exit code; a traceback is never shown unasked."""

from pathlib import Path

import click
import pytest

from contract.document import DocumentError, Position, Problem
from contract.envelope import EnvelopeError, Flaw
from contract.error import DenreiError
from contract.parameter import ParameterError
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.failure import run_guarded


def _program(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--debug", is_flag=True, expose_value=False)
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DenreiError("the broker is away"), 1, "denrei: the broker is away\n"),
        (ParameterError("parameter x is missing"), 2, "denrei: parameter x is missing\n"),
        (EnvelopeError(Flaw.BAD_SIGNATURE, "it was altered"), 6, "denrei: it was altered\n"),
        (DenreiError("from a host: \x1b[2J"), 1, "denrei: from a host: \\x1b[2J\n"),
        (KeyboardInterrupt(), 130, "denrei: interrupted\n"),
    ],
)
def test_run_guarded_known_error_is_one_line_and_its_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The family decides the code; the text goes to stderr as one safe line."""
    assert run_guarded(_program(error), []) == code
    captured = capsys.readouterr()
    assert captured.err.lstrip("\n") == said
    assert captured.out == ""


def test_run_guarded_document_error_is_a_line_per_problem(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each problem of a runbook stands on its own line with its place."""
    problems = [Problem(Position(2, 3), "no"), Problem(Position(1, 1), "neither")]
    assert run_guarded(_program(DocumentError("a.yaml", problems)), []) == ExitCode.USAGE
    assert capsys.readouterr().err == "denrei: a.yaml:1:1: neither\ndenrei: a.yaml:2:3: no\n"


def test_run_guarded_unexpected_error_leaves_its_details_in_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the error and the file; only the file holds the traceback."""
    monkeypatch.setenv("DENREI_HOME", str(tmp_path))
    assert run_guarded(_program(ZeroDivisionError("oh")), []) == ExitCode.ERROR
    log = tmp_path / "errors.log"
    said = capsys.readouterr().err
    assert said == f"denrei: unexpected ZeroDivisionError: oh (details in {log})\n"
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_run_guarded_unexpected_error_without_a_home_goes_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no home to write to, the details still go somewhere and the line says where."""
    monkeypatch.setenv("DENREI_HOME", str(tmp_path / "none"))
    run_guarded(_program(ZeroDivisionError("oh")), [])
    path = Path(capsys.readouterr().err.split("details in ")[1].rstrip(")\n"))
    assert "Traceback" in path.read_text()
    path.unlink()


def test_run_guarded_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for it sees it."""
    run_guarded(_program(ZeroDivisionError("oh")), ["--debug"])
    assert "Traceback" in capsys.readouterr().err
