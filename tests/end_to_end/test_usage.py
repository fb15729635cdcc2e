"""What is asked for wrongly: one clear line, the right exit code, and nothing stored or sent."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.command import Script
from lab.fleet import Fleet
from orchestrator.home import Home
from tests.end_to_end.desk import Desk

BAD_YAML = """\
name: crooked
summary: A step that speaks of what is not there.
observe:
  agent: {process: {cmdline: /bin/agent}}
steps:
  - name: agent runs
    ensure: agent.runing
"""

WRONG = {
    "unknown-host": (["check", "--host", "web9"], 9, ["web9"]),
    "no-host": (["check"], 9, ["--host"]),
    "unknown-runbook": (["chek", "--all"], 2, ["chek", "check"]),
    "unknown-parameter": (["check", "--all", "-p", "worksapce=x"], 2, ["worksapce", "workspace"]),
    "parameter-of-a-wrong-kind": (["check", "--all", "-p", "workspace=x"], 2, ["workspace"]),
    "missing-secret": (["reonboard", "--all"], 2, ["key", "--secret"]),
    "secret-typed-as-parameter": (["reonboard", "--all", "-p", "key=QUJD"], 2, ["--secret"]),
    "secret-from-nowhere": (
        ["reonboard", "--all", "--secret", "key=@/nowhere/at/all"],
        2,
        ["/nowhere/at/all"],
    ),
}


def stored_runs(desk: Desk) -> int:
    with Home.open(Path(desk.denrei.settings["DENREI_HOME"])).open_store() as store:
        return len(store.runs.list(limit=10_000))


@pytest.mark.parametrize("case", WRONG)
def test_wrong_submission_is_told_in_one_line_and_stores_nothing(desk: Desk, case: str) -> None:
    """The exit code is the documented one, and the line names what is wrong."""
    arguments, code, words = WRONG[case]
    before = stored_runs(desk)
    said = desk.denrei.run("submit", *arguments)
    assert (said.code, said.out) == (code, "")
    assert all(word in said.err for word in words), said.err
    assert "Traceback" not in said.err
    assert stored_runs(desk) == before


def test_bad_runbook_is_told_with_file_line_and_column(desk: Desk, tmp_path: Path) -> None:
    """A mistyped field is found before anything is signed, with what was meant."""
    path = tmp_path / "crooked.yaml"
    path.write_text(BAD_YAML)
    said = desk.denrei.run("submit", str(path), "--all")
    assert said.code == 2
    assert f"{path}:7:13" in said.err
    assert "did you mean 'running'?" in said.err


def test_broken_yaml_is_told_with_file_line_and_column(desk: Desk, tmp_path: Path) -> None:
    """YAML that can't be read at all has a place, too."""
    path = tmp_path / "broken.yaml"
    path.write_text("name: broken\nsteps: [\n")
    said = desk.denrei.run("submit", str(path), "--all")
    assert said.code == 2
    assert f"{path}:3:1" in said.err


def test_command_without_a_home_says_to_make_one(fleet: Fleet, tmp_path: Path) -> None:
    """Nothing is made by accident in a wrong place."""
    said = fleet.denrei.run("--home", str(tmp_path / "nowhere"), "submit", "check", "--all")
    assert said.code == 1
    assert "denrei init" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def web7(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Script:
    """A host that was enrolled, but never started, and is a member no more."""
    directory = tmp_path_factory.mktemp("web7")
    made = Script("denrei-worker", {"DENREI_WORKER_CONFIG": str(directory / "etc/worker.yaml")})
    token = fleet.denrei.must("host", "enrol", "web7").out
    where = ("--state", str(directory / "state"), "--root", str(directory))
    made.must("enrol", "-", *where, given=token)
    fleet.denrei.must("host", "revoke", "web7")
    return made


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("etc/worker.yaml", ["denrei-worker enrol"]),
        ("state/keyring.json", ["keyring.json", "not enrolled"]),
        ("etc/keys/sign.pem", ["no key at", "keys/sign.pem"]),
        ("etc/policy.yaml", ["policy.yaml", "nothing is allowed"]),
        ("state/ledger.db", ["ledger.db", "denrei-worker enrol"]),
    ],
)
def test_worker_without_what_it_needs_ends_and_says_what(
    web7: Script, missing: str, words: Sequence[str]
) -> None:
    """Without configuration, keys, trust, policy or ledger it takes no order and ends."""
    path = Path(web7.settings["DENREI_WORKER_CONFIG"]).parents[1] / missing
    aside = path.rename(path.with_name("aside"))
    said = web7.run("run", within=30)
    aside.rename(path)
    assert said.code != 0
    assert all(word in said.err for word in words), said.err
    assert "Traceback" not in said.err
