"""Many rows and many texts at once: each comes out as it went in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from orchestrator.store.among import among
from orchestrator.store.database import Database
from orchestrator.store.many import insert_many, update_many
from orchestrator.store.schema import envelopes, hosts
from tests.orchestrator_house import House

ODD = ["", "it's", 'a "quote"', "back\\slash", "{a,b}", "NULL", "é\u2028\U0001f600", "%(x)s ? :y"]

_APPEND = insert_many(envelopes, ["kind", "run_id", "host", "digest", "data", "at"])
_FOLLOW = update_many(hosts, {"name": hosts.c.name}, ["labels", "follow_at", "last_signed_at"])


@pytest.fixture
def database(house: House) -> Database:
    return house.store._database


def letter(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "report",
        "run_id": None,
        "host": "web1",
        "digest": str(number),
        "data": b"{}",
        "at": number,
        **changes,
    }


def test_insert_many_numbers_the_rows_in_their_sequence(database: Database) -> None:
    rows = [letter(-number) for number in range(300)]
    with database.writing() as connection:
        _APPEND.execute(connection, rows)
        query = select(envelopes.c.at).where(envelopes.c.at <= 0).order_by(envelopes.c.seq)
        assert [*connection.execute(query).scalars()] == [row["at"] for row in rows]


def test_insert_many_odd_values_come_out_as_they_went_in(database: Database) -> None:
    datas = [each.encode() for each in ODD] + [bytes(range(256))]
    rows = [letter(number, data=data) for number, data in enumerate(datas)]
    rows += [letter(10**15, run_id="r", host=text, digest=text) for text in ODD]
    with database.writing() as connection:
        _APPEND.execute(connection, rows)
        query = select(*(envelopes.c[name] for name in rows[0])).order_by(envelopes.c.seq)
        found = [dict(row) for row in connection.execute(query).mappings()]
    assert found[-len(rows) :] == rows


def test_update_many_sets_what_each_row_says_and_nothing_else(house: House) -> None:
    others = house.store.hosts.all()[0]
    database = house.store._database
    rows = [
        {"name": "web1", "labels": '{"a": "it\'s"}', "follow_at": 2**40, "last_signed_at": None},
        {"name": "nobody", "labels": "{}", "follow_at": 1, "last_signed_at": 1},
    ]
    with database.writing() as connection:
        _FOLLOW.execute(connection, rows)
    (host,) = house.store.hosts.all()
    assert (host.labels, host.follow_at, host.last_signed_at) == ({"a": "it's"}, 2**40, None)
    assert (host.sign_key, host.admission) == (others.sign_key, others.admission)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(wanted=st.lists(st.sampled_from([*ODD, "nobody", "o'clock"])))
def test_among_finds_those_of_the_list_and_no_other(database: Database, wanted: list[str]) -> None:
    with database.writing() as connection:
        if not connection.execute(select(envelopes.c.seq).where(envelopes.c.at == 7)).first():
            _APPEND.execute(connection, [letter(7, digest=text) for text in ODD])
        query = select(envelopes.c.digest).where(among(envelopes.c.digest, "digests"))
        found = set(connection.execute(query, {"digests": wanted}).scalars())
    assert found == set(wanted) & set(ODD)


def test_among_is_answered_from_an_index(tmp_path: Path) -> None:
    with House.build(tmp_path / "home").store._database.reading() as connection:
        query = select(envelopes.c.at).where(among(envelopes.c.digest, "digests"))
        text = str(query.compile(dialect=connection.dialect))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("[]",)).all()
    assert not [row for row in plan if row[-1].startswith("SCAN envelopes")]
    assert any("SEARCH envelopes USING INDEX" in row[-1] for row in plan)
