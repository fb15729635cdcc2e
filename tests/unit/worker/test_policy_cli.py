"""`denrei-worker policy explain`: what it prints, and the code with which it exits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.worker.letters import letter, order
from worker.cli import main
from worker.policy_file import shipped_policy

ALLOWED, WRONG_USAGE, REFUSED = 0, 2, 6


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(shipped_policy("strict"))
    return tmp_path / "worker.yaml"


def explain(config: Path, *arguments: str | Path) -> Result:
    words = ["--config", str(config), "policy", "explain", *map(str, arguments)]
    return CliRunner().invoke(main, words)


def rulings(result: Result) -> dict[str, dict[str, object]]:
    """The rulings of a document by what they are about."""
    return {ruling["subject"]: ruling for ruling in json.loads(result.stdout)["rulings"]}


@pytest.mark.parametrize("name", ["oms/check", "oms/migrate", "oms/reonboard", "oms/restart"])
def test_strict_policy_allows_the_catalogue(config: Path, name: str) -> None:
    """Each runbook of oms/ can be run under the policy that is shipped for it."""
    result = explain(config, name)
    assert result.exit_code == ALLOWED, result.output
    assert result.stdout.endswith("\nallowed\n")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_strict_policy_lets_the_scheduler_look_and_not_touch(config: Path) -> None:
    assert explain(config, "oms/check", "--role", "scheduler").exit_code == ALLOWED
    result = explain(config, "oms/restart", "--role", "scheduler")
    assert result.exit_code == REFUSED
    assert "refused as policy_role" in result.stdout


@pytest.mark.parametrize("name", ["cert/scan", "tls/check", "tls/reload"])
def test_permissive_policy_allows_everything_that_is_shipped(config: Path, name: str) -> None:
    config.with_name("policy.yaml").write_text(shipped_policy("permissive"))
    given = ["-p", "certificate=/a/b.pem", "-p", "key=/a/b.key", "-p", "profile=nginx"]
    result = explain(config, name, *(given if name != "cert/scan" else []))
    assert result.exit_code == ALLOWED, result.output


def test_allowed_things_are_told_with_the_line_that_allows_them(config: Path) -> None:
    found = rulings(explain(config, "oms/restart", "-o", "json"))
    program = "/opt/microsoft/omsagent/bin/service_control"
    line = shipped_policy("strict").splitlines().index(f"  - {program}") + 1
    assert found[f"starting {program}"] == {
        "rule": "executables",
        "subject": f"starting {program}",
        "allowed": True,
        "by": program,
        "line": line,
        "column": 5,
        "reason": None,
    }


def test_refused_things_are_told_with_the_reason(config: Path) -> None:
    result = explain(config, "cert/scan", "-o", "json")
    assert result.exit_code == REFUSED
    found = rulings(result)
    assert found["the runbook 'cert/scan'"]["reason"] == "policy_runbook"
    assert found["reading /"]["reason"] == "policy_path"
    assert json.loads(result.stdout)["allowed"] is False


def test_order_is_explained_with_its_own_parameters(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_bytes(letter(order()))
    result = explain(config, file, "-o", "json")
    assert result.exit_code == REFUSED
    assert rulings(result)["starting /opt/agent/bin/control"]["reason"] == "policy_executable"
    assert explain(config, file, "-p", "force=true").exit_code == WRONG_USAGE


def test_run_of_high_risk_is_explained_by_the_number_of_people(
    config: Path, tmp_path: Path
) -> None:
    config.with_name("policy.yaml").write_text('runbooks: ["*"]\n')
    file = tmp_path / "risky.yaml"
    file.write_text("name: risky\nrisk: high\nsteps: [{name: a, ensure: run.check}]\n")
    alone = explain(config, file)
    assert alone.exit_code == REFUSED
    assert "a runbook of high risk by one person: high: 2" in alone.stdout
    assert explain(config, file, "--people", "2").exit_code == ALLOWED


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nothing"], "nothing is no shipped runbook, and as a file it can't be read: no such"),
        (["oms/check", "-p", "workspce=x"], "did you mean 'workspace'?"),
        (["oms/check", "-p", "workspace"], "'workspace' is not NAME=VALUE"),
        (["oms/check", "-p", "workspace=x"], "workspace"),
        (["tls/reload"], "parameter certificate is missing"),
    ],
)
def test_what_can_t_be_explained_is_wrong_usage(
    config: Path, arguments: list[str], complaint: str
) -> None:
    result = explain(config, *arguments)
    assert result.exit_code == WRONG_USAGE, result.output
    assert complaint in result.stderr


@pytest.mark.parametrize("text", ["name: x\nsteps: [{name: a, ensur: true}]\n", "{}", "{x", ""])
def test_file_that_is_neither_order_nor_runbook_is_wrong_usage(
    config: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    result = explain(config, file)
    assert (result.exit_code, result.stdout) == (WRONG_USAGE, "")
    assert result.stderr.startswith("denrei-worker: ")
    assert "Traceback" not in result.stderr


def test_policy_that_is_wrong_is_told_with_its_place(config: Path) -> None:
    config.with_name("policy.yaml").write_text("runbook: [a]\n")
    result = explain(config, "oms/check")
    assert result.exit_code == 1
    assert "policy.yaml:1:1: the policy has no 'runbook'; did you mean 'runbooks'?" in result.stderr


def test_shipped_policies_are_printed_as_they_are(config: Path) -> None:
    for name in ("strict", "permissive"):
        shown = CliRunner().invoke(main, ["policy", "show", name])
        assert (shown.exit_code, shown.stdout) == (0, shipped_policy(name))
