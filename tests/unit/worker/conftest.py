"""What the worker's tests may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.worker.controls import controlled
from tests.unit.worker.ledgers import NOW
from tests.worker_host import WorkerHost
from worker.ledger import Ledger
from worker.ledger_file import create_ledger
from worker.process_control import ProcessControl


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A prepared host in a directory of its own."""
    return WorkerHost(tmp_path)


@pytest.fixture(params=list(ProcessControl))
def control(request: pytest.FixtureRequest) -> Iterator[ProcessControl]:
    """Both ways of keeping together what a step starts; the test runs once in each."""
    with controlled(request.param):
        yield request.param


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    """An empty ledger's file."""
    create_ledger(tmp_path / "ledger.db", NOW)
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(ledger_path: Path) -> Iterator[Ledger]:
    """The same, open."""
    ledger = Ledger(ledger_path)
    yield ledger
    ledger.close()
