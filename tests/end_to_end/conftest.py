"""One running fleet for the stories that leave it in order, and hosts as new for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import reset_host

HOSTS = ("web1", "web2")


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Redis, server, cloud and two workers, all of them real."""
    with Fleet(tmp_path_factory.mktemp("fleet"), HOSTS) as running:
        running.await_workers()
        yield running


@pytest.fixture
def desk(fleet: Fleet) -> Desk:
    return Desk(fleet)


@pytest.fixture
def web1(fleet: Fleet) -> FleetHost:
    """The first host, with nothing on it yet."""
    return reset_host(fleet, "web1")


@pytest.fixture
def web2(fleet: Fleet) -> FleetHost:
    """The second host, with nothing on it yet."""
    return reset_host(fleet, "web2")


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    """A folder for runbooks of one's own."""
    path = tmp_path / "runbooks"
    path.mkdir()
    return path
