"""Real faults on real processes, a handful of those that `./dev campaign --only faults` makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.faults.campaign import run_one
from tests.campaign.faults.fleet import FaultFleet
from tests.campaign.faults.ground import Ground
from tests.campaign.faults.stall import HEALS_ITSELF, ROLES, stall

HASTY = {"SELF_PING_S": "0.5", "SILENCE_S": "3", "SOCKET_TIMEOUT_S": "2"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultFleet]:
    """One plain host; disks, clocks and cables of their own are left to the campaign."""
    with FaultFleet(tmp_path_factory.mktemp("faults"), ("web1",)) as running:
        running.await_workers()
        yield running


@pytest.fixture
def ground(fleet: FaultFleet) -> Iterator[Ground]:
    with Ground.of(fleet) as ground:
        yield ground


def test_fault_fleet_reaches_redis_by_a_tunnel_for_each_party(fleet: FaultFleet) -> None:
    """Else a fault of one host's connection would strike nobody, and break no promise."""
    assert {name for name, tunnel in fleet.tunnels.items() if tunnel.links} == {"server", "web1"}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "fault",
    ["redis_lost", "redis_flushed", "connections_reset", "executor_killed", "host_off"],
)
def test_fault_at_some_moment_breaks_no_promise(
    fleet: FaultFleet, ground: Ground, fault: str
) -> None:
    """Orders end, effects happen once or are told as interrupted, nothing runs too late."""
    assert run_one(fleet, ground, fault, "ci") == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("role", ROLES)
def test_consumer_that_stalls_in_silence_is_started_anew_and_serves(
    tmp_path: Path, role: str
) -> None:
    """Its connection is black-holed; a courier without self-ping stays silent: the trap."""
    stalled = stall(role, tmp_path / role, HASTY)
    assert stalled.twin_serves == (role in HEALS_ITSELF)
    assert stalled.served_s < 60
