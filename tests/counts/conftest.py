"""An orchestrator with many hosts on a real Redis, whose work is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.dispatch import Dispatcher
from tests.orchestrator_house import House

_YEARS_MS = 10**12
HOSTS = 40


@pytest.fixture
def house(tmp_path: Path, clean_redis: EmbeddedRedis) -> Iterator[House]:
    names = [f"web{number}" for number in range(HOSTS)]
    built = House.build(tmp_path / "home", clean_redis.url, names)
    yield built
    built.store.close()


@pytest.fixture
def dispatcher(house: House) -> Iterator[Dispatcher]:
    """A dispatcher that has asked every host for its presence, and will not so soon again."""
    publisher = Publisher(house.home.broker)
    dispatcher = Dispatcher(house.store, publisher, period_ms=_YEARS_MS)
    dispatcher.turn()
    with redis.Redis.from_url(house.home.broker) as client:
        client.flushdb()
    yield dispatcher
    publisher.close()
