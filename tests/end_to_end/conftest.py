"""One running fleet for the stories that leave it in order, and hosts as new for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import runbooks as shipped
from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import reset_host

HOSTS = ("web1", "web2")


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Redis, server with beat, cloud and two workers, all of them real."""
    with Fleet(tmp_path_factory.mktemp("fleet"), HOSTS, beat=True) as running:
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


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The shipped `reonboard` with shorter pauses, for onboardings that do not go well."""
    text = (Path(shipped.__file__).parent / "oms/reonboard.yaml").read_text()
    for slow, quick in (("within: 20s", "within: 2s"), ("delay: 10s", "delay: 1s")):
        assert text.count(slow) == 1
        text = text.replace(slow, quick)
    folder = tmp_path_factory.mktemp("hasty")
    (folder / "reonboard.yaml").write_text(text)
    return ("--runbooks", str(folder))
