"""RabbitMQ for tests: Debian's, installed or fetched, and emptied between tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.broker import NO_FILES
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.rabbit_api import RabbitApi
from tests.integration.tls.debian import program

_ALL = {"configure": ".*", "write": ".*", "read": ".*"}


def rabbit_root() -> Path:
    """Return where Debian's packages of RabbitMQ and Erlang lie, fetched if need be."""
    folder = program("rabbitmq-server", "rabbitmq-server").path.parent.parent
    return folder.parent if folder.name == "usr" else Path("/")


@contextmanager
def emptied(server: EmbeddedRabbit) -> Iterator[EmbeddedRabbit]:
    """Give a server whose virtual host is as new."""
    api = RabbitApi(server.api_url, NO_FILES)
    api.delete("vhosts", "denrei")
    guest = {"user": "guest", "vhost": "denrei", **_ALL}
    api.post("definitions", content={"vhosts": [{"name": "denrei"}], "permissions": [guest]})
    yield server
