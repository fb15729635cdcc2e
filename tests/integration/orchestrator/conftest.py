"""Homes for the orchestrator's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.names import host_queue
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.broker.acl import acl_file, admin_user, digest_of
from orchestrator.broker.user import ADMIN
from orchestrator.dispatch import Dispatcher
from tests.integration.orchestrator.guarded import Guarded
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader


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


@pytest.fixture
def dispatcher(live_house: House) -> Iterator[Dispatcher]:
    """A dispatcher over the live house."""
    publisher = Publisher(live_house.home.broker)
    yield Dispatcher(live_house.store, publisher)
    publisher.close()


@pytest.fixture
def web1(live_house: House) -> Iterator[QueueReader]:
    """What is in the queue of web1."""
    with QueueReader(live_house.home.broker, host_queue("web1")) as reader:
        yield reader


@pytest.fixture(scope="session")
def acl_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redis") / "users.acl"


@pytest.fixture(scope="session")
def keeper(acl_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis with an administrator and nobody else."""
    acl_path.write_text(acl_file([admin_user(digest_of("secret of the admin"))]))
    with EmbeddedRedis(username=ADMIN, password="secret of the admin", acl_file=acl_path) as server:
        yield server


@pytest.fixture
def guarded(tmp_path: Path, keeper: EmbeddedRedis) -> Iterator[Guarded]:
    """A home with web1 and web2, whose users were made."""
    with Guarded.build(tmp_path / "home", keeper) as made:
        yield made
