"""What the worker's tests may ask for."""

from pathlib import Path

import pytest

from tests.worker_host import WorkerHost


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A prepared host in a directory of its own."""
    return WorkerHost(tmp_path)
