"""The record: what was signed, and whether every byte of it is still as it was."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lab.command import Script
from lab.fleet import Fleet
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import reset_host
from tests.end_to_end.tally import Tally, write_runbook


@pytest.fixture(scope="module")
def run_id(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run that left its letters."""
    tally, desk = Tally(reset_host(fleet, "web1")), Desk(fleet)
    tally.close_gate()
    run = desk.detach(write_runbook(tmp_path_factory.mktemp("runbook")), "--host", "web1")
    desk.await_letter("receipt", "--run", run.run_id)
    tally.open_gate()
    return desk.watch(run.run_id).run_id


@pytest.fixture
def copy(fleet: Fleet, run_id: str, tmp_path: Path) -> Script:
    """The command on a copy of the home, its store taken out while the server was at work."""
    home = tmp_path / "copy"
    shutil.copytree(fleet.home, home, ignore=shutil.ignore_patterns("store.db*", "*.lock"))
    settings = home / "denrei.yaml"
    settings.write_text(settings.read_text().replace(str(fleet.home), str(home)))
    with (
        closing(sqlite3.connect(fleet.home / "store.db")) as source,
        closing(sqlite3.connect(home / "store.db")) as target,
    ):
        source.backup(target)
    return Script("denrei", {"DENREI_HOME": str(home), "COLUMNS": "80"})


@pytest.fixture
def store(copy: Script) -> Iterator[sqlite3.Connection]:
    """The copy's store, without the triggers that keep it append-only."""
    path = Path(copy.settings["DENREI_HOME"]) / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        assert triggers
        for (name,) in triggers:
            db.execute(f"DROP TRIGGER {name}")
        yield db


def letter(db: sqlite3.Connection, kind: str, run_id: str) -> tuple[int, bytes]:
    """Return a letter of a run, or the last one of its kind if they belong to no run."""
    query = "SELECT seq, data FROM envelopes WHERE kind = ? AND coalesce(run_id, ?) = ?"
    seq, data = db.execute(f"{query} ORDER BY seq DESC", (kind, run_id, run_id)).fetchone()
    return seq, data


def change(db: sqlite3.Connection, kind: str, run_id: str) -> int:
    """Change one bit of a letter; return its number."""
    seq, data = letter(db, kind, run_id)
    middle = len(data) // 3
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    db.execute("UPDATE envelopes SET data = ? WHERE seq = ?", (changed, seq))
    return seq


def test_untouched_record_verifies(copy: Script) -> None:
    """Every letter's signature holds still."""
    said = copy.run("audit", "verify")
    assert said.code == 0
    assert "all hold" in said.out


@pytest.mark.parametrize("kind", ["order", "receipt", "report"])
def test_changed_byte_in_the_store_is_found(
    copy: Script, store: sqlite3.Connection, run_id: str, kind: str
) -> None:
    """One bit of one letter: exit 6, and the letter is named."""
    seq = change(store, kind, run_id)
    said = copy.run("audit", "verify")
    assert said.code == 6
    assert f"{seq}" in said.out
    assert run_id in said.out
    assert "1 do not hold" in said.out


def test_changed_byte_of_what_acknowledges_reports_is_found(
    copy: Script, store: sqlite3.Connection, run_id: str
) -> None:
    """It belongs to no run and to no host, which is said."""
    seq = change(store, "acknowledgements", run_id)
    said = copy.run("audit", "verify")
    assert said.code == 6
    assert re.search(rf"^{seq} +acknowledgements +- +-$", said.out, re.MULTILINE)
    assert "1 do not hold" in said.out


def test_removed_order_is_found(copy: Script, store: sqlite3.Connection, run_id: str) -> None:
    """A host run whose order is gone is told."""
    seq, _ = letter(store, "order", run_id)
    store.execute("DELETE FROM envelopes WHERE seq = ?", (seq,))
    said = copy.run("audit", "verify")
    assert said.code == 6
    assert run_id in said.out


def test_record_refuses_to_be_changed(fleet: Fleet, run_id: str) -> None:
    """The store itself says no to an update or a removal."""
    with closing(sqlite3.connect(fleet.home / "store.db", isolation_level=None)) as db:
        for statement in ("UPDATE envelopes SET host = 'x'", "DELETE FROM envelopes"):
            with pytest.raises(sqlite3.DatabaseError, match="append-only"):
                db.execute(statement)
