"""A small share of `./dev attack` as part of the suite, and that it can fail."""

from random import Random

import pytest

from tests.attack.envelopes import _share
from tests.attack.judges import Door, doors
from tests.attack.mutation import Workshop, cuts, flips
from tests.attack.named import _ROOT, ROWS
from tests.attack.vectors import broken_vectors

AT_LEAST = 3000


def test_hostile_letters_are_believed_at_no_door() -> None:
    for at in (0, 1):
        part = _share(at, AT_LEAST, 7)
        assert (part.tried, part.believed) == (AT_LEAST, ())


@pytest.mark.parametrize("door", doors(), ids=lambda door: door.name)
def test_genuine_letters_are_believed_and_no_bit_of_them_may_turn(door: Door) -> None:
    for blob in door.genuine:
        assert door.believes(blob)
    shortest = min(door.genuine, key=len)
    assert not any(door.believes(hostile) for hostile in (*flips(shortest), *cuts(shortest)))


def test_assault_finds_a_door_that_believes_without_looking() -> None:
    """The oracle can fail: a door that takes what merely looks like a letter is found out."""
    gullible = Door("gullible", doors()[0].genuine, lambda blob: b"signatures" in blob)
    workshop = Workshop(gullible.genuine, Random(1))
    hostile = [workshop.forge() for _ in range(50)]
    assert any(gullible.believes(each) and each not in gullible.genuine for each in hostile)


def test_public_vectors_hold() -> None:
    tried, broken = broken_vectors()
    assert tried > 900
    assert broken == []


def test_every_row_of_the_threat_table_names_tests_that_are_there() -> None:
    missing = [f for files in ROWS.values() for f in files if not (_ROOT / "tests" / f).exists()]
    assert missing == []
