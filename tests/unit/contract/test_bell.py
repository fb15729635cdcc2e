"""The bell: it saves waiting, and losing a ring costs nothing else."""

import os
import threading
import time
from pathlib import Path

from contract.bell import Bell, ring


def test_wait_without_a_ring_ends_in_time(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    began = time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - began < 1
    bell.close()


def test_ring_ends_the_wait_of_another(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    ringer = threading.Thread(target=ring, args=(tmp_path / "bell",))
    ringer.start()
    assert bell.wait(10)
    ringer.join()
    bell.close()


def test_many_rings_never_block_and_count_as_one(tmp_path: Path) -> None:
    """A pipe holds 64 KiB; who rings more often than that must not hang."""
    bell = Bell(tmp_path / "bell")
    for _ in range(70_000):
        ring(tmp_path / "bell")
    assert bell.wait(0)
    assert not bell.wait(0)
    bell.close()


def test_ring_where_nobody_waits_is_no_error(tmp_path: Path) -> None:
    ring(tmp_path / "none")
    os.mkfifo(tmp_path / "bell")
    ring(tmp_path / "bell")


def test_bell_that_is_there_already_is_used(tmp_path: Path) -> None:
    first, second = Bell(tmp_path / "bell"), Bell(tmp_path / "bell")
    ring(tmp_path / "bell")
    assert first.wait(0) or second.wait(0)
    first.close()
    second.close()
