"""What every test may ask for."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings

from lab.rabbit import EmbeddedRabbit
from lab.redis import EmbeddedRedis
from tests.rabbit_server import emptied, rabbit_root

# A busy machine is no reason to fail an example; in CI the same examples every time.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("here", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", deadline=None, suppress_health_check=_SLOW, derandomize=True)
# What was started in the background of a shell ignores SIGINT, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedRedis]:
    """A real Redis for the whole session; a machine without one fails the test, it never skips."""
    with EmbeddedRedis() as server:
        yield server


@pytest.fixture
def clean_redis(redis_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """The session's Redis, emptied before and after."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield redis_server
        client.flushall()


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


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Whatever a test configures ends with it: a command that is run in this process does, too."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
