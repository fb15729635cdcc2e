"""A host whose courier is a user of its own, and what that user would like to have."""

import os
from pathlib import Path

import pytest

from tests.swapper import NOBODY, let_in
from tests.worker_host import WorkerHost
from worker.handover import CourierUser, hand_over

by_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


def apart(host: WorkerHost, directory: Path) -> WorkerHost:
    """Give the courier's share to a user of its own."""
    let_in(directory)
    hand_over(host.config, CourierUser(NOBODY, NOBODY))
    return host
