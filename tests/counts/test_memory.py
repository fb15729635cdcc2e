"""What a submission holds in memory: the hosts, and of their orders a batch."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.store.record import Host
from tests.orchestrator_house import House

FEW, MANY = 1000, 4000


def many_hosts(house: House, count: int) -> list[Host]:
    """Return hosts that have their keys from one, and are in no inventory."""
    (host,) = house.store.hosts.all()
    return [replace(host, name=f"host{number}") for number in range(count)]


def peak(house: House, hosts: Sequence[Host]) -> int:
    """Return how many bytes more a submission held at its height."""
    tracemalloc.start()
    try:
        house.submit(hosts=hosts)
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
    growth = (peak(house, many) - peak(house, few)) / (MANY - FEW)
    (order, *_) = house.store.envelopes.list(host="host1", limit=1)
    assert len(order.data) > 1000
    assert growth < len(order.data) / 10
    house.store.close()
