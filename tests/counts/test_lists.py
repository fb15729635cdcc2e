"""What a list of runs costs: by the runs that it shows, not by those that are stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.store.record import Run
from tests.counts.tally import instructions, plans, statements
from tests.orchestrator_house import House

HOSTS = 30
SHOWN = 3
NARROWED: list[dict[str, Any]] = [
    {},
    {"host": "web1"},
    {"since": 1},
    {"before": "7" * 26},
    {"host": "web1", "since": 1, "before": "7" * 26},
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    names = [f"web{number}" for number in range(HOSTS)]
    built = House.build(tmp_path / "home", "redis://127.0.0.1:1/0", names)
    yield built
    built.store.close()


def submit(house: House, count: int) -> list[Run]:
    return [house.submit() for _ in range(count)]


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_list_counts_by_indices_only_and_sorts_nothing(
    house: House, narrowed: dict[str, Any]
) -> None:
    """Guards the list: no table is gone through, and no row read to be counted or sorted."""
    submit(house, SHOWN)
    with statements(house.store) as asked:
        assert len(house.store.runs.list(limit=SHOWN, **narrowed)) == SHOWN
    assert asked.count == 2
    told = plans(house.store, asked)
    assert not [line for line in told if "TEMP B-TREE" in line]
    assert not [line for line in told if line.startswith("SCAN") and "USING INDEX" not in line]
    counted = [line for line in told if line.startswith("SEARCH host_runs")]
    assert counted
    assert all("COVERING INDEX" in line for line in counted)


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
def test_list_costs_no_more_when_many_more_runs_are_stored(
    house: House, narrowed: dict[str, Any]
) -> None:
    """Guards the list: as many instructions of SQLite's after 3 runs as after 21."""
    submit(house, SHOWN)
    with instructions(house.store) as few:
        house.store.runs.list(limit=SHOWN, **narrowed)
    submit(house, 6 * SHOWN)
    with instructions(house.store) as many:
        house.store.runs.list(limit=SHOWN, **narrowed)
    assert few["steps"] > HOSTS * SHOWN  # each entry is one instruction at least
    assert many["steps"] <= few["steps"] * 1.05


def test_list_costs_a_few_instructions_for_each_host_run_shown(house: House) -> None:
    """Guards the count: 14 instructions for one host run more of a run that is listed."""
    submit(house, 2)
    with instructions(house.store) as one:
        house.store.runs.list(limit=1)
    with instructions(house.store) as two:
        house.store.runs.list(limit=2)
    assert (two["steps"] - one["steps"]) / HOSTS <= 17
