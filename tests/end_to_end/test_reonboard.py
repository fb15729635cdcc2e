"""Reonboarding: when it is due, what stops it before anything is removed, and what it leaves."""

import base64
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.fleet import Fleet, FleetHost
from lab.places import Workspace
from tests.end_to_end.desk import Answer, Desk
from tests.end_to_end.leak import Secret

PREFLIGHT = "onboarding can work, before anything is removed"
REMOVAL = "old onboarding is removed, or is not due"
STOPPED = "a stopped agent with a good certificate is a case for restart"
ONBOARDING = "workspace is onboarded with a fresh certificate"


def onboard(fleet: Fleet, host: FleetHost, days: int = 365) -> Workspace:
    host.agent.onboard(fleet.workspace.id, fleet.workspace.key, days)
    return host.agent.places.workspace(fleet.workspace.id)


def identity(workspace: Workspace) -> tuple[bytes, bytes]:
    """What a reonboarding replaces: the agent's identity and its certificate."""
    return workspace.identity.read_bytes(), workspace.certificate.read_bytes()


def days_left(answer: Answer) -> float:
    end = datetime.fromisoformat(answer.values("web1")["not_after"])
    return (end - datetime.now(UTC)).total_seconds() / 86400


def find_key(fleet: Fleet, key: str) -> list[Path]:
    """Where a key is on disk, but for the file from which the operator gave it."""
    given = (fleet.key_file, fleet.key_file.with_name("another.key"))
    hosts = [host.directory for host in fleet.hosts.values()]
    logs = [service.log for service in fleet.services.values()]
    found = Secret(key).files(fleet.home, fleet.redis.directory, *hosts, but=given)
    return found + [log for log in logs if Secret(key).is_in(log.read_bytes())]


def test_certificate_near_its_end_is_replaced_and_not_again(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """A new identity for about a year; the second run finds nothing due and touches nothing."""
    workspace = onboard(fleet, web1, days=20)
    for neighbour in ("scom", "LAD"):
        web1.agent.add_neighbour(neighbour)
    old = identity(workspace)
    done = desk.reonboard("--host", "web1")
    assert (done.code, done.outcomes) == (0, {"web1": "changed"})
    assert days_left(done) > 360
    assert done.values("web1")["agent_guid"].encode() not in old[0]
    assert done.values("web1")["agent_pid"] == web1.agent.pid()
    assert done.values("web1")["uploads_stood_still"] not in ("", "0s", 0, None)
    assert any("scom" in note and "LAD" in note for note in done.host("web1")["notes"])
    assert all(web1.agent.places.workspace(n).daemon_config.exists() for n in ("scom", "LAD"))
    assert find_key(fleet, fleet.workspace.key) == []

    new, pid = identity(workspace), web1.agent.pid()
    again = desk.reonboard("--host", "web1")
    assert (again.code, again.outcomes) == (0, {"web1": "ok"})
    assert (identity(workspace), web1.agent.pid()) == (new, pid)


def test_force_replaces_a_good_certificate_once(fleet: Fleet, desk: Desk, web1: FleetHost) -> None:
    """`force` is met by a certificate from this run on; the next run without it does nothing."""
    # From long before: a certificate of this very second would count as one of this run.
    workspace = onboard(fleet, web1, days=300)
    old = identity(workspace)
    forced = desk.reonboard("--host", "web1", "-p", "force=true")
    assert (forced.code, forced.outcomes) == (0, {"web1": "changed"})
    new = identity(workspace)
    assert old[0] != new[0]
    assert old[1] != new[1]
    assert desk.reonboard("--host", "web1").outcomes == {"web1": "ok"}
    assert identity(workspace) == new


@pytest.mark.timeout(120)
def test_wrong_key_leaves_no_key_behind_and_the_right_one_goes_straight_to_onboarding(
    fleet: Fleet, desk: Desk, web1: FleetHost, hasty: tuple[str, ...]
) -> None:
    """Removed but not onboarded is told as failed; a later run removes nothing again."""
    workspace = onboard(fleet, web1, days=20)
    wrong = base64.b64encode(secrets.token_bytes(64)).decode()
    failed = desk.reonboard("--host", "web1", *hasty, key=wrong)
    assert (failed.code, failed.outcomes) == (3, {"web1": "failed"})
    assert failed.steps("web1")[REMOVAL] == "changed"
    assert failed.steps("web1")[ONBOARDING] == "failed"
    assert not workspace.identity.exists()
    assert not web1.agent.places.onboarding_file.exists()
    assert find_key(fleet, wrong) == []

    repaired = desk.reonboard("--host", "web1", "-p", f"workspace={workspace.name}")
    assert (repaired.code, repaired.outcomes) == (0, {"web1": "changed"})
    assert repaired.steps("web1")[REMOVAL] == "ok"
    assert repaired.steps("web1")[ONBOARDING] == "changed"
    assert find_key(fleet, fleet.workspace.key) == []


def test_unreachable_service_fails_before_anything_is_removed(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """Neither a closed port nor an unknown name costs the host its onboarding."""
    workspace = onboard(fleet, web1, days=20)
    before = (identity(workspace), web1.agent.pid())
    closed = desk.reonboard("--host", "web1", domain=f"{fleet.cloud.domain}:1")
    assert (closed.code, closed.steps("web1")[PREFLIGHT]) == (3, "failed")
    web1.agent.make_unresolvable(workspace.name)
    unknown = desk.reonboard("--host", "web1")
    assert (unknown.code, unknown.steps("web1")[PREFLIGHT]) == (3, "failed")
    for answer in (closed, unknown):
        assert answer.steps("web1")[REMOVAL] == "skipped"
    assert (identity(workspace), web1.agent.pid()) == before


def test_host_kept_by_the_vm_extension_is_left_alone(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """The extension would onboard again from its own settings: the marker ends the run."""
    workspace = onboard(fleet, web1, days=20)
    (workspace.config / "conf/.azure_extension_marker").touch()
    before = identity(workspace)
    refused = desk.reonboard("--host", "web1")
    assert (refused.code, refused.steps("web1")[PREFLIGHT]) == (3, "failed")
    assert "extension.exists" in str(refused.passes("web1")[workspace.name])
    assert identity(workspace) == before


def test_second_workspace_stops_a_reonboarding_unless_told_otherwise(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """Newer agents can't be onboarded beside another workspace, so nothing is removed."""
    workspace = onboard(fleet, web1, days=20)
    second = fleet.cloud.workspace()
    web1.agent.onboard(second.id, second.key, second=True)
    before = identity(workspace)
    failed = desk.reonboard("--host", "web1")
    assert failed.code == 3
    assert failed.steps("web1", workspace.name)[PREFLIGHT] == "failed"
    assert set(failed.steps("web1", second.id).values()) <= {"ok", "skipped"}
    assert identity(workspace) == before


def test_stopped_agent_with_a_good_certificate_is_left_to_restart(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """Onboarding on top of it could cost it its certificate; `restart` repairs it."""
    workspace = onboard(fleet, web1)
    before = identity(workspace)
    web1.agent.call(web1.agent.control, "stop", workspace.name)
    left = desk.reonboard("--host", "web1")
    assert (left.code, left.steps("web1")[STOPPED]) == (3, "failed")
    assert left.steps("web1")[ONBOARDING] == "skipped"
    assert identity(workspace) == before
    assert desk.submit("restart", "--host", "web1").outcomes == {"web1": "changed"}
    assert web1.agent.pid() is not None


def test_host_that_was_never_onboarded_is_onboarded_by_name(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """`-p workspace=` names one that is not there yet: straight to the onboarding."""
    web1.agent.make_resolvable(fleet.workspace.id)
    done = desk.reonboard("--host", "web1", "-p", f"workspace={fleet.workspace.id}")
    assert (done.code, done.outcomes) == (0, {"web1": "changed"})
    assert done.steps("web1")[REMOVAL] == "ok"
    assert web1.agent.pid(fleet.workspace.id) is not None
