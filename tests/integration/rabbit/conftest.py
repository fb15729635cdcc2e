"""One RabbitMQ for all of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.names import host_queue
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from tests.rabbit_server import emptied, rabbit_root
from tests.worker_host import WorkerHost


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[EmbeddedRabbit]:
    """A real RabbitMQ for the whole session; without one the tests fail, or are skipped aloud."""
    with EmbeddedRabbit(rabbit_root()) as server:
        yield server


@pytest.fixture
def rabbit(rabbit_server: EmbeddedRabbit) -> Iterator[EmbeddedRabbit]:
    """The session's RabbitMQ, emptied."""
    with emptied(rabbit_server) as server:
        yield server


@pytest.fixture
def publisher(rabbit: EmbeddedRabbit) -> Iterator[Publisher]:
    publisher = Publisher(rabbit.url)
    yield publisher
    publisher.close()


@pytest.fixture
def host(tmp_path: Path, rabbit: EmbeddedRabbit) -> WorkerHost:
    """A prepared host of the session's RabbitMQ."""
    return WorkerHost(tmp_path, rabbit.url)


@pytest.fixture
def queue(host: WorkerHost) -> str:
    return host_queue(host.config.name)
