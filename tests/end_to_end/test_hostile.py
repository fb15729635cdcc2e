"""Hostile messages on the wire, some of those that `./dev campaign --only hostile` sends."""

from collections.abc import Callable, Iterator

import pytest

from lab.fleet import Fleet
from tests.campaign.hostile.campaign import attack
from tests.end_to_end.fleet_control import reset_host

Strike = Callable[[str], list[str]]

CASES = (
    *("bytes_that_are_no_text", "list", "deeply_nested_list", "hundred_megabytes_of_text"),
    *("no_headers", "no_delivery_tag", "unknown_task", "task_with_escapes", "pickle_type"),
    *("surrogate_argument", "time_limits", "eta_bad", "callbacks", "chain"),
    *("compressed_bomb", "id_with_line_breaks", "duplicate_names", "remote_control"),
    *("unacked_keys", "queue_is_a_string", "letters_misaddressed"),
)


@pytest.fixture(scope="module")
def strike(fleet: Fleet) -> Iterator[Strike]:
    """Hands on the wire of the fleet that the other stories use."""
    reset_host(fleet, "web1")
    with attack(fleet) as strike:
        yield strike


@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", CASES)
def test_hostile_message_leaves_executor_ledger_and_the_next_order_alone(
    strike: Strike, case: str
) -> None:
    """Nobody grows, restarts, forwards or carries out; the next good order is served in 5 s."""
    assert strike(case) == []
