"""A host whose broker is real, and its processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.names import REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.queue_reader import QueueReader
from tests.worker_host import WorkerHost


@pytest.fixture
def host(tmp_path: Path, clean_redis: EmbeddedRedis) -> WorkerHost:
    """A prepared host of the session's Redis."""
    return WorkerHost(tmp_path, clean_redis.url)


@pytest.fixture
def publisher(clean_redis: EmbeddedRedis) -> Iterator[Publisher]:
    publisher = Publisher(clean_redis.url)
    yield publisher
    publisher.close()


@pytest.fixture
def reports(clean_redis: EmbeddedRedis) -> Iterator[QueueReader]:
    """What the recorder would get."""
    with QueueReader(clean_redis.url, REPORTS_QUEUE) as reader:
        yield reader


@pytest.fixture
def queue(host: WorkerHost) -> str:
    return host_queue(host.config.name)
