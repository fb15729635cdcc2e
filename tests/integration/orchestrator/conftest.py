"""Homes for the orchestrator's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.redis import EmbeddedRedis
from tests.orchestrator_house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home with one host, whose broker is nowhere."""
    built = House.build(tmp_path / "home")
    yield built
    built.store.close()


@pytest.fixture
def live_house(tmp_path: Path, clean_redis: EmbeddedRedis) -> Iterator[House]:
    """A home with two hosts, whose broker is the session's Redis."""
    built = House.build(tmp_path / "home", clean_redis.url, ("web1", "web2"))
    yield built
    built.store.close()
