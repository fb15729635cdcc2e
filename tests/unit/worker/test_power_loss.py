"""The power goes at any I/O: what was returned from is there afterwards, and nothing half."""

import random
from pathlib import Path
from unittest.mock import patch

import pytest

import worker.ledger_file
import worker.transactions
from tests.campaign.campaign import Scale
from tests.campaign.power.campaign import examine, lose_power, record_ledger, record_mailbox
from tests.campaign.power.platter import Create, Platter, Sync, SyncDirectory, Truncate, Write
from worker.mailbox import Mailbox

IMAGES = 150


def losses_of_a_ledger(directory: Path, calls: int = 60) -> list[str]:
    return list(examine(record_ledger(directory, random.Random(1), calls), "a test", IMAGES))


def losses_of_a_mailbox(directory: Path) -> list[str]:
    return list(examine(record_mailbox(directory, random.Random(1), 10), "a test", IMAGES))


def test_power_lost_at_any_moment_loses_nothing_that_was_returned_from() -> None:
    tally = lose_power(Scale.SMOKE, 1)
    assert tally.violations == ()
    assert tally.counts["power_loss_images"] >= 100


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_power_lost_with_less_synchronous_is_seen_to_lose_commits(
    tmp_path: Path, synchronous: str
) -> None:
    """A suite that can't fail is none: what the pragma is there for is missed without it."""
    with patch.object(worker.transactions, "_AT_ONCE", synchronous):
        found = losses_of_a_ledger(tmp_path)
    assert any("calls that returned it knows" in each for each in found), found


def test_power_lost_before_the_new_ledgers_name_is_synced_is_seen_to_lose_it(
    tmp_path: Path,
) -> None:
    with patch.object(worker.ledger_file, "sync_directory", lambda _: None):
        found = losses_of_a_ledger(tmp_path, calls=1)
    assert any("no ledger at" in each for each in found), found


def test_power_lost_over_a_letter_whose_digest_nobody_asks_for_is_seen_to_tear_it(
    tmp_path: Path,
) -> None:
    def read(_: Mailbox, path: Path) -> bytes:
        return path.read_bytes()

    with patch.object(Mailbox, "read", read):
        found = losses_of_a_mailbox(tmp_path)
    assert any("not whole" in each for each in found), found


def test_platter_keeps_what_was_synced_and_parts_of_what_was_not() -> None:
    platter = Platter()
    for operation in (Create("a", 1), Write(1, 0, b"1" * 8192), Sync(1), SyncDirectory()):
        platter.take(operation)
    platter.take(Write(1, 4096, b"2" * 4096))
    platter.take(Truncate(1, 6000))
    platter.take(Create("b", 2))
    images = [platter.image(random.Random(seed)) for seed in range(200)]
    assert all(image["a"][:4096] == b"1" * 4096 for image in images)
    assert {image["a"][4096:] for image in images} >= {b"1" * 4096, b"2" * 1904}
    assert len({image["a"] for image in images}) > 10
    assert {"b" in image for image in images} == {True, False}
