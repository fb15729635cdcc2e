"""What a submission holds in memory: the hosts, and of their orders a batch."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestrator.store.target_record import Target
from tests.orchestrator_house import House

FEW, MANY = 1000, 4000


def many_hosts(house: House, count: int) -> list[Target]:
    """Return hosts that have their keys from one, and are in no inventory."""
    (host,) = house.store.hosts.targets()
    return [replace(host, name=f"host{number}") for number in range(count)]


def peak(work: Callable[[], object]) -> int:
    """Return how many bytes more were held at the height of some work, its result included."""
    tracemalloc.start()
    try:
        _result = work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_submission_holds_no_order_for_longer_than_a_batch(tmp_path: Path) -> None:
    """Guards submit: 10 bytes at the height for one host more, where its order has 1,280.

    What is left is a name in the set that finds hosts that are named twice.
    """
    house = House.build(tmp_path / "home")
    few, many = many_hosts(house, FEW), many_hosts(house, MANY)
    house.submit(hosts=few[:1])  # imports and caches
    most = peak(lambda: house.submit(hosts=many))
    growth = (most - peak(lambda: house.submit(hosts=few))) / (MANY - FEW)
    (order, *_) = house.store.envelopes.list(host="host1", limit=1)
    assert len(order.data) > 1000
    assert growth < len(order.data) / 10
    house.store.close()


def test_targets_hold_of_a_host_only_what_its_order_needs(tmp_path: Path) -> None:
    """Guards the choice of hosts: 317 bytes for a host without labels, 1,108 for all of it."""
    house = House.build(tmp_path / "home", names=[f"host{number}" for number in range(200)])
    house.store.hosts.targets()
    held, whole = (peak(work) / 200 for work in (house.store.hosts.targets, house.store.hosts.all))
    assert held < 400
    assert held < whole / 2
    house.store.close()
