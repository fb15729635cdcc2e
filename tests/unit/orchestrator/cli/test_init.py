"""`denrei init`, `runbook list|show`, `schedule list` and `audit`: the quieter commands."""

import json
import sqlite3
from pathlib import Path

import pytest

from contract.outcome import StepOutcome
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import RUNBOOK, Place


def test_init_makes_a_home_once(denrei: Denrei, tmp_path: Path) -> None:
    """Keys are their owner's alone; what to do next is said; a second time changes nothing."""
    home = tmp_path / "new"
    said = denrei("init", "--home", home, "--operator", "alice")
    assert said.code == 0
    assert f"root key  {home}/keys/root.pem" in said.out
    assert "denrei host enrol" in said.err
    keys = {path.name: path for path in (home / "keys").rglob("*.pem")}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in keys.values())
    before = {name: path.read_bytes() for name, path in keys.items()}
    again = denrei("init", "--home", home)
    assert again.code == 1
    assert "already; nothing was changed" in again.err
    assert {name: path.read_bytes() for name, path in keys.items()} == before


def test_init_wrong_broker_is_told(denrei: Denrei, tmp_path: Path) -> None:
    """A broker that is no URL of Redis makes no home."""
    said = denrei("--home", tmp_path / "new", "init", "--broker", "localhost")
    assert said.code == 1
    assert "URL" in said.err
    assert not (tmp_path / "new" / "denrei.yaml").exists()


def test_runbook_list_and_show_tell_the_origin(place: Place, denrei: Denrei) -> None:
    """The home's own runbooks and the shipped ones are listed; one is shown byte for byte."""
    listed = json.loads(denrei("runbook", "list", "-o", "json").out)["runbooks"]
    origins = {runbook["name"]: runbook["origin"] for runbook in listed}
    assert origins["look"] == "home"
    assert origins["oms/restart"] == "shipped"
    said = denrei("runbook", "show", "look")
    assert said.out == RUNBOOK
    assert f"{place.home.runbooks}/look.yaml (home)" in said.err


def test_runbook_show_broken_one_is_harmless(place: Place, denrei: Denrei) -> None:
    """A file that does not lint is still shown, made safe, with its problems and exit code 2."""
    (place.home.runbooks / "bad.yaml").write_text("name: bad\n# \x1b[2J\n")
    said = denrei("runbook", "show", "bad")
    assert said.code == 2
    assert "# \\x1b[2J" in said.out
    assert "bad.yaml:2:3" in said.err
    assert "bad.yaml:2:3" in denrei("runbook", "list").out


def test_runbook_list_without_a_home_shows_the_shipped_ones(
    denrei: Denrei, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking needs no home."""
    monkeypatch.setenv("DENREI_HOME", str(tmp_path / "none"))
    assert "restart" in denrei("runbook", "list").out


def test_schedule_list_tells_next_and_that_no_beat_runs(place: Place, denrei: Denrei) -> None:
    """A schedule is listed with its next moment; without beat it is said that nothing fires."""
    place.home.schedules.write_text(
        "schedules:\n  - {name: nightly, runbook: look, targets: {all: true}, cron: '30 2 * * *'}\n"
    )
    said = denrei("schedule", "list")
    assert said.code == 0
    assert "nightly" in said.out
    assert "never" in said.out
    assert "denrei server --beat" in said.err
    (document,) = json.loads(denrei("schedule", "list", "-o", "json").out)["schedules"]
    assert document["next_at"].endswith("02:30:00Z")
    assert document["last"] is None


def test_schedule_list_bad_file_exits_2_with_its_place(place: Place, denrei: Denrei) -> None:
    """What is wrong with the file is told where it stands."""
    place.home.schedules.write_text("schedules:\n  - {name: x}\n")
    said = denrei("schedule", "list")
    assert said.code == 2
    assert "schedules.yaml:2:" in said.err


def test_audit_log_shows_letters_of_a_run(
    place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every letter of a run is there, with its exact bytes for machines."""
    run_id = denrei("submit", "look", "--host", "web1", "--detach", "-m", "why").out.strip()
    denrei("submit", "look", "--host", "web2", "--detach")
    place.receive("web1")
    place.report("web1", StepOutcome.FAILED, "no pid")
    lines = denrei("audit", "log", "--run", run_id[:22], "-o", "jsonl").out.splitlines()
    letters = [json.loads(line) for line in lines]
    kinds = [letter["kind"] for letter in letters]
    assert kinds[:2] == ["order", "receipt"]
    assert "report" in kinds
    assert letters[0]["payload"]["reason"] == "why"
    assert json.loads(letters[0]["envelope"])["signatures"]
    monkeypatch.setenv("COLUMNS", "80")
    table = denrei("audit", "log", "--host", "web1").out
    assert "failed" in table
    assert max(map(len, table.splitlines())) <= 80


def test_audit_log_limit_keeps_the_newest(place: Place, denrei: Denrei) -> None:
    """Older letters than the limit are left out, and that is said."""
    assert place.sides
    denrei("submit", "look", "--all", "--detach")
    said = denrei("audit", "log", "--limit", "1", "-o", "jsonl")
    assert json.loads(said.out)["seq"] == 3
    assert "2 older ones are left out" in said.err


def test_audit_verify_holds_until_a_byte_is_changed(place: Place, denrei: Denrei) -> None:
    """All letters hold; one that was changed behind the triggers' back is found, with exit 6."""
    denrei("submit", "look", "--all", "--detach")
    said = denrei("audit", "verify")
    assert said.code == 0
    assert "3 letters verified (3 order): all hold" in said.out
    with sqlite3.connect(place.home.path / "store.db") as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type='trigger'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            "UPDATE envelopes SET data = CAST(replace(data, 'A', 'B') AS BLOB) WHERE seq = 2"
        )
    connection.close()
    said = denrei("audit", "verify", "-o", "json")
    assert said.code == 6
    document = json.loads(said.out)
    assert document["ok"] is False
    assert [finding["seq"] for finding in document["findings"]] == [2]
    assert "1 do not hold" in denrei("audit", "verify").out
