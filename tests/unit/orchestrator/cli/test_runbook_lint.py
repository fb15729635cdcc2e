"""`denrei runbook lint` tells every problem with its place."""

from pathlib import Path

from click.testing import CliRunner

from orchestrator.cli.program import program

_GOOD = """\
name: x
observe:
  agent: {process: {pid_file: /run/x.pid}}
steps:
  - name: runs
    ensure: agent.running
"""


def _lint(*paths: Path) -> tuple[int, str]:
    result = CliRunner().invoke(
        program, ["runbook", "lint", *map(str, paths)], standalone_mode=False
    )
    assert result.exception is None, result.exception
    return int(result.return_value), result.stdout


def test_lint_good_runbook_is_one_line(tmp_path: Path) -> None:
    """A good runbook is told with its steps and whether it could change something."""
    file = tmp_path / "good.yaml"
    file.write_text(_GOOD)
    code, out = _lint(file)
    assert (code, out) == (0, f"{file}: ok, x, 1 step, only looks\n")


def test_lint_bad_runbook_exits_2_with_line_and_column(tmp_path: Path) -> None:
    """Each problem stands on a line that an editor can jump to."""
    file = tmp_path / "bad.yaml"
    file.write_text(_GOOD.replace("agent.running", "agent.runing"))
    code, out = _lint(file)
    assert code == 2
    assert out.startswith(f"{file}:6:")
    assert "runing" in out


def test_lint_directory_goes_over_its_runbooks(tmp_path: Path) -> None:
    """A directory stands for its runbooks; a missing file is a problem like another."""
    (tmp_path / "a.yaml").write_text(_GOOD)
    (tmp_path / "b.yaml").write_text("name: [")
    code, out = _lint(tmp_path, tmp_path / "none.yaml")
    assert code == 2
    assert [line.split(":")[0] for line in out.splitlines()] == [
        str(tmp_path / name) for name in ("a.yaml", "b.yaml", "none.yaml")
    ]
