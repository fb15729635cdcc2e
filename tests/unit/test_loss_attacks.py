"""A broker that loses or holds back a share of all letters: every run ends in a state with a name.

In the world of the model campaign: real parts on both sides, a wire that is a list, clocks that
are set.
"""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from contract.names import REPORTS_QUEUE, host_queue
from contract.outcome import TERMINAL, HostRunState
from tests.campaign.model.sides import HOST
from tests.campaign.model.world import World

RUNS, TURNS, PAUSE_S = 5, 60, 30.0
TO_HOST = host_queue(HOST)


@pytest.fixture
def world() -> Iterator[World]:
    """One host and runs that wait for it, good for five minutes."""
    made = World()
    for _ in range(RUNS):
        made.publish("work", 300.0, check=False)
    yield made
    made.close()


def states(world: World) -> list[HostRunState]:
    shares = [world.orchestrator.store.runs.host_run(run, HOST) for run in world.laws.runs]
    return [share.state for share in shares if share]


def take_a_turn(world: World, meddle: Callable[[list[bytes]], list[bytes]], queue: str) -> None:
    """Let both sides do their work once; whoever meddles chooses what a queue still holds."""
    host, orchestrator, under_way = world.host, world.orchestrator, world.wire.under_way
    world.at_orchestrator(orchestrator.dispatch)
    if queue != REPORTS_QUEUE:
        under_way[TO_HOST] = meddle(under_way.get(TO_HOST, []))
    while world.wire.waiting(TO_HOST):
        world.at_host(lambda: host.deliver(0))
    world.at_host(lambda: host.work(RUNS + 1))
    world.at_host(host.send)
    if queue != TO_HOST:
        under_way[REPORTS_QUEUE] = meddle(under_way.get(REPORTS_QUEUE, []))
    while world.wire.waiting(REPORTS_QUEUE):
        world.at_orchestrator(lambda: orchestrator.record(0))
    world.clocks.pass_time(PAUSE_S)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 0.95, 1.0])
def test_share_of_all_letters_lost_leaves_no_run_without_an_end(world: World, share: float) -> None:
    """However many: none is lost silently, none runs twice, none runs late."""
    chance = Random(share)
    for _ in range(TURNS):
        take_a_turn(world, lambda all_: [one for one in all_ if chance.random() >= share], "both")
    ended = states(world)
    assert len(ended) == RUNS
    assert set(ended) <= TERMINAL
    assert world.laws.broken == []
    if share in (0, 1):
        assert set(ended) == {HostRunState.EXPIRED if share else HostRunState.SUCCEEDED}
    world.heal()  # what was held back comes after all, and agrees
    assert world.laws.broken == []


@pytest.mark.parametrize("queue", [TO_HOST, REPORTS_QUEUE])
def test_queue_held_back_until_all_is_over_starts_nothing_more(world: World, queue: str) -> None:
    """A delay is a loss that comes back: an order too late does not run, a report still counts."""
    held: list[bytes] = []

    def hold(letters: list[bytes]) -> list[bytes]:
        held.extend(letters)
        return []

    for _ in range(TURNS):
        take_a_turn(world, hold, queue)
    assert held
    assert set(states(world)) == {HostRunState.EXPIRED}
    effects = [dict(run.effects) for run in world.laws.runs.values()]
    assert all(effects) is (queue == REPORTS_QUEUE)
    for letter in held:
        world.wire.put(queue, letter)
    world.heal()
    assert world.laws.broken == []
    assert [dict(run.effects) for run in world.laws.runs.values()] == effects
    is_told = queue == REPORTS_QUEUE
    assert set(states(world)) == {HostRunState.SUCCEEDED if is_told else HostRunState.EXPIRED}
