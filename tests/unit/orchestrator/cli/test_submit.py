"""`denrei submit`: what it takes, what it says, and how it exits."""

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from contract.outcome import StepOutcome
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place
from tests.waiting import eventually


def test_submit_detached_without_a_server_is_stored_and_says_so(
    place: Place, denrei: Denrei
) -> None:
    """With no server the run is stored; stdout is its id, stderr tells the deadline."""
    said = denrei("submit", "look", "--host", "web*", "--detach", "-m", "because")
    assert said.code == 0
    run_id = said.out.strip()
    assert f"{place.home.runbooks}/look.yaml (home)" in said.err
    assert "no server is running" in said.err
    assert "orders wait until" in said.err
    assert f"denrei run watch {run_id}" in said.err
    with place.store() as store:
        assert [share.host for share in store.runs.host_runs(run_id)] == ["web1", "web2"]


def test_submit_followed_without_a_server_exits_7_at_its_timeout(
    place: Place, denrei: Denrei
) -> None:
    """An order that nobody takes shows until when it waits; patience ends with 7."""
    said = denrei("submit", "look", "--host", "db1", "--timeout", "100ms")
    assert said.code == 7
    assert "db1: queued, expires at " in said.err
    assert "time is up" in said.err
    assert "queued" in said.out
    assert place.host_run("db1") is not None


def test_submit_with_the_broker_away_tells_what_the_server_says(
    place: Place, denrei: Denrei
) -> None:
    """A server that can't reach its broker is told apart from none at all."""
    place.serve(detail="can't reach the broker redis://127.0.0.1:1/0")
    said = denrei("submit", "look", "--all", "--detach")
    assert said.code == 0
    assert "can't reach the broker" in said.err
    assert "no server" not in said.err


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((StepOutcome.OK, StepOutcome.CHANGED), 0),
        ((StepOutcome.OK, StepOutcome.FAILED), 3),
        ((StepOutcome.UNKNOWN, StepOutcome.OK), 4),
        ((StepOutcome.WOULD_CHANGE, StepOutcome.OK), 8),
    ],
)
def test_submit_followed_to_its_end_exits_by_outcome(
    place: Place, outcomes: tuple[StepOutcome, StepOutcome], code: int
) -> None:
    """Following ends when every host has reported, and the outcomes decide the exit code."""
    place.serve()
    process = place.start("submit", "look", "--host", "web*", "-o", "json")
    for host, outcome in zip(("web1", "web2"), outcomes, strict=True):
        eventually(partial(place.host_run, host))
        place.report(host, outcome)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == code
    document = json.loads(out)
    assert document["schema_version"] == 1
    assert document["exit_code"] == code
    assert [host["outcome"] for host in document["hosts"]] == list(outcomes)


def test_submit_interrupted_detaches_and_says_how_to_come_back(place: Place) -> None:
    """Ctrl-C ends the following, not the run."""
    place.serve()
    process = place.start("submit", "look", "--host", "web1")
    assert process.stderr is not None
    seen = [process.stderr.readline() for _ in range(3)]
    assert "web1: queued" in seen[-1]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "detached; the run goes on" in err
    assert "denrei run watch " in err
    assert "Traceback" not in err
    assert place.host_run("web1") is not None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["look", "--host", "wbe1"], 9, "did you mean 'web1'?"),
        (["look", "--host", "x*"], 9, "no host fits 'x*'"),
        (["look", "-l", "env=none"], 9, "no host fits -l env=none"),
        (["look"], 9, "name hosts with --host, or take --all"),
        (["lok", "--all"], 2, "did you mean 'look'?"),
        (["./none.yaml", "--all"], 2, "can't read none.yaml"),
        (["look", "--all", "-p", "forse=true"], 2, "did you mean 'force'?"),
        (["look", "--all", "-p", "force=maybe"], 2, "is not true or false"),
        (["look", "--all", "-p", "key=hunter22"], 2, "is secret; give it with --secret"),
        (["look", "--all", "--secret", "force=env:HOME"], 2, "is not secret; give it with -p"),
        (["look", "--all", "--secret", "key=@/none"], 2, "can't read /none"),
        (["look", "--all", "--secret", "key=hunter22"], 2, "give a source, not the secret"),
        (["look", "--all", "--expires", "30"], 2, "is not a duration"),
        (["look", "--all", "-p", "force=true", "-p", "force=true"], 2, "is given twice"),
    ],
)
def test_submit_refused_at_the_door_stores_nothing(
    place: Place, denrei: Denrei, arguments: list[str], code: int, said: str
) -> None:
    """What can't be meant is told in one line with a hint; no run is made, no secret repeated."""
    answer = denrei("submit", *arguments, "--detach")
    assert answer.code == code
    assert said in answer.err
    assert "hunter22" not in answer.err
    assert answer.out == ""
    with place.store() as store:
        assert store.runs.list() == []


def test_submit_bad_runbook_tells_every_place(place: Place, denrei: Denrei) -> None:
    """A runbook that does not lint is not sent; its problems come with line and column."""
    file = place.folder / "bad.yaml"
    file.write_text("name: bad\nsteps:\n  - name: x\n    ensure: agent.running\n")
    said = denrei("submit", file, "--all")
    assert said.code == 2
    assert said.err.startswith(f"denrei: {file}:4:")


def test_submit_takes_the_folder_before_the_home(place: Place, denrei: Denrei) -> None:
    """`--runbooks` comes first, and what was taken is told."""
    folder = place.folder / "own"
    folder.mkdir()
    (folder / "look.yaml").write_text((place.home.runbooks / "look.yaml").read_text())
    said = denrei("submit", "look", "--all", "--detach", "--runbooks", folder)
    assert f"{folder}/look.yaml (folder)" in said.err


def test_submit_secret_from_a_file_leaves_no_trace(place: Place, denrei: Denrei) -> None:
    """The secret is sealed: neither output nor store hold it in the clear."""
    file = place.folder / "secret"
    file.write_text("correct-horse\n")
    said = denrei("submit", "look", "--all", "--detach", "-o", "json", "--secret", f"key=@{file}")
    assert said.code == 0
    assert json.loads(said.out)["run"]["secrets"] == ["key"]
    assert "correct-horse" not in said.out + said.err
    assert not [p for p in Path(place.home.path).rglob("*") if p.is_file() and _holds(p)]


def _holds(path: Path) -> bool:
    return b"correct-horse" in path.read_bytes()


def test_submit_without_a_home_says_what_to_do(
    denrei: Denrei, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left alone with a missing home."""
    monkeypatch.setenv("DENREI_HOME", str(tmp_path / "none"))
    said = denrei("submit", "check", "--all")
    assert said.code == 1
    assert "run `denrei init` first" in said.err
