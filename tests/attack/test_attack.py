"""A small share of `./dev attack` as part of the suite, and that it can fail."""

import re
from random import Random

import pytest

from tests.attack.envelopes import _share
from tests.attack.judges import Door, doors
from tests.attack.mutation import Workshop, cuts, flips
from tests.attack.named import _ROOT, ROWS
from tests.attack.vectors import broken_vectors
from tests.campaign.__main__ import CAMPAIGNS

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


def table() -> list[list[str]]:
    """The rows of the threat table of docs/security.md, a text for each cell."""
    lines = (_ROOT / "docs/security.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


NOT_PROMISED = "the store and the keys of the orchestrator"


def test_threats_are_those_of_the_threat_model_in_its_order() -> None:
    numbers = [row[0] for row in table() if row[0]]
    assert numbers == [str(number) for number in range(1, 15)]


def test_threat_table_names_the_very_tests_that_are_tried() -> None:
    """What ./dev attack runs and what the page says are the same, row by row."""
    told = {row[1]: tuple(re.findall(r"`([\w/]+\.py)`", row[4])) for row in table()}
    assert told.pop(NOT_PROMISED) == ()
    assert {name: sorted(files) for name, files in told.items()} == {
        name: sorted(files) for name, files in ROWS.items()
    }


@pytest.mark.parametrize("file", [file for files in ROWS.values() for file in files])
def test_module_named_in_the_threat_table_has_tests(file: str) -> None:
    assert "\ndef test_" in (_ROOT / "tests" / file).read_text()


def test_campaigns_named_in_the_threat_table_are_there() -> None:
    named = re.findall(r"\./dev campaign --only (\w+)", str(table()))
    assert len(named) >= 4
    assert set(named) <= set(CAMPAIGNS)
