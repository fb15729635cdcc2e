"""A host whose broker is RabbitMQ."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.names import host_queue
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from tests.worker_host import WorkerHost


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
