"""Hostile messages on the wire, a dozen of those that `./dev campaign --only hostile` sends."""

from collections.abc import Callable, Iterator

import pytest

from lab.fleet import Fleet, FleetHost
from tests.campaign.hostile.campaign import attack

Strike = Callable[[str], list[str]]


@pytest.fixture
def strike(fleet: Fleet, web1: FleetHost) -> Iterator[Strike]:
    """Hands on the wire of the fleet that the other stories use."""
    with attack(fleet) as strike:
        yield strike


@pytest.mark.timeout(120)
def test_hostile_messages_leave_executor_ledger_and_the_next_order_alone(strike: Strike) -> None:
    """Nobody grows, restarts, forwards or carries out; the next good order is served in 5 s."""
    cases = (
        *("bytes_that_are_no_text", "list", "deeply_nested_list", "hundred_megabytes_of_text"),
        *("no_headers", "task_with_escapes", "surrogate_argument", "time_limits", "callbacks"),
        *("compressed_bomb", "id_with_line_breaks", "duplicate_names", "remote_control"),
        *("unacked_keys", "queue_is_a_string", "letters_misaddressed"),
    )
    assert {name: broken for name in cases if (broken := strike(name))} == {}
