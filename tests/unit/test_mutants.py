"""The mutants of the protocol are those of the code as it stands, and survivors are seen.

`./dev campaign --only mutants` lets all of them be killed.
"""

from dataclasses import replace

import pytest

from tests.campaign.crash.table import SMOKE
from tests.campaign.mutant.campaign import kill
from tests.campaign.mutant.mutant import Mutant, named_test
from tests.campaign.mutant.table import MUTANTS
from tests.campaign.mutant.tree import ROOT

DIES = next(mutant for mutant in MUTANTS if mutant.name == "CEL's errors taken for true")
HARMLESS = replace(DIES, name="harmless", new=DIES.old + "        # another comment\n")
MOVED = replace(DIES, name="moved", old="what nobody ever wrote")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_changes_what_is_there_and_names_tests_that_are_there(mutant: Mutant) -> None:
    mutant.check(ROOT)
    for killer in mutant.killers:
        file, _, name = killer.partition("::")
        function, _, point = name.rstrip("]").partition("[")
        assert f"def {function}(" in (ROOT / file).read_text()
        assert not point or point in SMOKE


def test_mutants_are_many_and_told_apart() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30


@pytest.mark.timeout(120)
def test_mutant_that_is_killed_counts_and_one_that_gets_away_is_told() -> None:
    tally = kill((DIES, HARMLESS, MOVED))
    survives, moved = tally.violations
    assert "'harmless' survives" in survives
    assert "has the code moved?" in moved
    assert tally.counts == {"mutants_killed": 1}


def test_mutant_whose_tests_fail_anyhow_shows_nothing() -> None:
    strayed = replace(DIES, killers=named_test("unit/test_mutants", "test_of_nobody"))
    tally = kill((strayed,))
    assert "the tests fail without any mutant" in tally.violations[0]
    assert tally.counts == {"mutants_killed": 0}
