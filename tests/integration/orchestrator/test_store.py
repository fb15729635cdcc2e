"""The store on a real SQLite file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from contract.outcome import HostRunState
from orchestrator.run_id import new_run_id
from orchestrator.store import migration
from orchestrator.store.database import Database
from orchestrator.store.record import (
    Firing,
    HostRun,
    Kind,
    NewEnvelope,
    Run,
    Service,
    ServiceName,
    Via,
)
from orchestrator.store.runs import SlotTakenError
from orchestrator.store.schema import metadata
from orchestrator.store.store import Store, StoreError
from tests.orchestrator_house import House

_RUN_ID = new_run_id(1)


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def database_of(house: House) -> Path:
    return house.home.path / "store.db"


def test_store_migrated_has_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    Store.create(url(tmp_path / "store.db")).close()
    database = Database(url(tmp_path / "store.db"))
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_store_head_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(migration.__file__).with_name("migrations")))
    assert scripts.get_heads() == [migration.HEAD]


def test_store_created_again_keeps_what_is_in_it(house: House) -> None:
    run = house.submit()
    with Store.create(house.home.store_url) as again:
        assert again.runs.get(run.run_id) == run


def test_store_absent_says_how_to_make_one_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run `denrei init`"):
        Store.open(url(tmp_path / "store.db"))
    assert not (tmp_path / "store.db").exists()


def test_store_of_a_newer_version_is_refused(house: House) -> None:
    with closing(sqlite3.connect(database_of(house))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(house.home.store_url)


@pytest.mark.parametrize("address", ["nonsense", "sqlite:////absent/store.db", "mysql+no://x/y"])
def test_store_url_of_no_use_is_one_sentence(address: str) -> None:
    with pytest.raises(StoreError):
        Store.create(address)


def test_store_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, but long enough to be looked at" * 40)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(url(tmp_path / "store.db"))


def test_store_survives_power_loss_by_its_settings(house: House) -> None:
    database = Database(house.home.store_url)
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 15_000,
    }


@pytest.mark.parametrize(
    "change", ["UPDATE envelopes SET data = x'00'", "DELETE FROM envelopes", "DELETE FROM runs"]
)
def test_store_letters_are_append_only_and_runs_stay(house: House, change: str) -> None:
    house.submit()
    with closing(sqlite3.connect(database_of(house))) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(change)


def test_store_schedule_fires_once_per_slot_and_the_second_leaves_nothing(house: House) -> None:
    first = house.submit(schedule="nightly", slot=1000)
    with pytest.raises(SlotTakenError):
        house.submit(schedule="nightly", slot=1000)
    house.submit(schedule="nightly", slot=2000)
    summaries = house.store.runs.list()
    assert len(summaries) == 2
    assert len(house.store.envelopes.list(kinds=[Kind.ORDER])) == 2
    slots = [(firing.slot, firing.run_id) for firing in house.store.firings.list("nightly")]
    assert slots[1] == (1000, first.run_id)
    assert house.store.firings.latest()["nightly"].slot == 2000


def test_store_firing_without_a_run_takes_its_slot(house: House) -> None:
    firing = Firing(schedule="nightly", slot=1000, at=1001, error="no host fits")
    assert house.store.firings.note(firing)
    assert not house.store.firings.note(firing)
    with pytest.raises(SlotTakenError):
        house.submit(schedule="nightly", slot=1000)


def test_store_run_is_found_by_the_beginning_of_its_id(house: House) -> None:
    run = house.submit()
    assert house.store.runs.find(run.run_id[:20]) == [run]
    assert house.store.runs.find("%") == []


def test_store_runs_are_listed_newest_first_and_narrowed(house: House) -> None:
    first, second = house.submit(), house.submit()
    runs = house.store.runs
    listed = [summary.run.run_id for summary in runs.list()]
    assert sorted(listed, reverse=True) == sorted([first.run_id, second.run_id], reverse=True)
    assert runs.list(limit=1)[0].states == {"queued": 1}
    assert runs.list(host="nobody") == []
    assert runs.list(runbooks=["touch"], since=second.created_at + 1) == []
    assert len(runs.open_on("web1")) == 2


def test_store_service_leaves_only_its_own_sign_of_life(house: House) -> None:
    services = house.store.services
    for beat_at in (1, 2):
        services.beat(
            Service(name=ServiceName.BEAT, pid=7, started_at=1, beat_at=beat_at, detail="")
        )
    assert [service.beat_at for service in services.all()] == [2]
    services.leave(ServiceName.BEAT, pid=8)
    assert services.get(ServiceName.BEAT)
    services.leave(ServiceName.BEAT, pid=7)
    assert services.all() == []


@given(st.dictionaries(st.sampled_from(["path", "note"]), st.text(max_size=50)), st.text())
def test_store_any_text_comes_back_as_it_was(params: dict[str, str], reason: str) -> None:
    database = Database("sqlite://")
    migration.upgrade(database)
    store = Store(database)
    try:
        run = _run(params, reason)
        store.runs.add(run, [(_SHARE, _ORDER)])
        assert store.runs.get(run.run_id) == run
    finally:
        store.close()


_SHARE = HostRun(
    run_id=_RUN_ID,
    host="web1",
    epoch=1,
    state=HostRunState.QUEUED,
    order_sha256="0" * 64,
    expires_at=2,
)
_ORDER = NewEnvelope(
    kind=Kind.ORDER, host="web1", run_id=_RUN_ID, digest="0" * 64, data=b"\x00\xff", at=1
)


def _run(params: dict[str, str], reason: str) -> Run:
    return Run(
        run_id=_RUN_ID,
        runbook="x",
        runbook_sha256="0" * 64,
        source="x.yaml",
        params=params,
        secrets=("key",),
        operator="alice",
        via=Via.CLI,
        reason=reason,
        check=True,
        created_at=1,
        expires_at=2,
        timeout_ms=3,
    )
