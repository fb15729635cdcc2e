"""Homes whose store is a database of PostgreSQL, each a new one."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from lab.postgresql import PLACES, Programs, postgresql
from lab.redis import EmbeddedRedis
from orchestrator.store.store import Store
from tests.integration.orchestrator.conftest import dispatcher, web1
from tests.integration.tls.debian import program
from tests.orchestrator_house import House

__all__ = ["dispatcher", "web1"]

_EMPTY = "empty"


class Server:
    """A server that makes databases in which the tables are already."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._numbers = count()
        self._say(f"CREATE DATABASE {_EMPTY}")
        Store.create(self._of(_EMPTY)).close()

    def new(self) -> str:
        name = f"store{next(self._numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {_EMPTY}")
        return self._of(name)

    def close(self) -> None:
        self._engine.dispose()

    def _of(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _say(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests."""
    found = program("initdb", "postgresql", places=PLACES)
    with postgresql(Programs(found.path.resolve().parent, found.libraries)) as url:
        made = Server(url)
        yield made
        made.close()


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[House]:
    """A home with one host, whose broker is nowhere."""
    built = House.build(tmp_path / "home", store_url=server.new())
    yield built
    built.store.close()


@pytest.fixture
def live_house(tmp_path: Path, server: Server, clean_redis: EmbeddedRedis) -> Iterator[House]:
    """A home with two hosts, whose broker is the session's Redis."""
    names = ("web1", "web2")
    built = House.build(tmp_path / "home", clean_redis.url, names, server.new())
    yield built
    built.store.close()
