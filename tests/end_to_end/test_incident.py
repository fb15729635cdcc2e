"""The incident and its repair: an agent that runs on the certificate from before its renewal."""

import datetime as dt
import math
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab import process
from lab.fleet import Fleet, FleetHost
from lab.places import Workspace
from tests.end_to_end.desk import Desk
from tests.waiting import eventually

OK, FORBIDDEN = 200, 403
STALE = "agent runs on the renewed certificate"


def onboard(fleet: Fleet, host: FleetHost, *, second: bool = False) -> Workspace:
    """Onboard a host's agent, into the fleet's workspace or beside it into a new one."""
    workspace = fleet.cloud.workspace() if second else fleet.workspace
    host.agent.onboard(workspace.id, workspace.key, second=second)
    return host.agent.places.workspace(workspace.id)


def starts(workspace: Workspace) -> int:
    """How often a workspace's daemon has started."""
    return workspace.log.read_text().count("process starts")


def await_upload(host: FleetHost, status: int, workspace: str = "") -> None:
    since = time.time()
    eventually(
        lambda: host.agent.upload_status(workspace, since) == status,
        within=15,
        what=f"an upload of {host.name} answered {status}",
    )


def write_certificate(workspace: Workspace, not_before: int) -> None:
    """Put a pair in place that is valid from a chosen second on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, workspace.name)])
    start = dt.datetime.fromtimestamp(not_before, dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(days=365))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    workspace.key.write_bytes(private)
    workspace.certificate.write_bytes(public)


def test_stale_agent_is_found_repaired_and_then_left_alone(
    fleet: Fleet, desk: Desk, web1: FleetHost, web2: FleetHost
) -> None:
    """Only the agent with the old certificate fails, is restarted once, and proved by its start."""
    for host in (web1, web2):
        onboard(fleet, host)
    web1.agent.renew()
    await_upload(web1, FORBIDDEN)
    pids = {host.name: host.agent.pid() for host in (web1, web2)}

    found = desk.submit("check", "--all")
    assert (found.code, found.outcomes) == (3, {"web1": "failed", "web2": "ok"})
    assert [n for n, outcome in found.steps("web1").items() if outcome != "ok"] == [STALE]

    repaired = desk.submit("restart", "--all")
    assert (repaired.code, repaired.outcomes) == (0, {"web1": "changed", "web2": "ok"})
    values = repaired.values("web1")
    assert values["agent_started_at"] >= values["not_before"]
    assert values["agent_pid"] == web1.agent.pid() != pids["web1"]
    assert web2.agent.pid() == pids["web2"]
    await_upload(web1, OK)

    again = desk.submit("restart", "--all")
    assert (again.code, again.outcomes) == (0, {"web1": "ok", "web2": "ok"})
    assert web1.agent.pid() == values["agent_pid"]
    assert desk.submit("check", "--all").code == 0


def test_restart_forced_on_a_healthy_agent_restarts_it_once(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """`force` means: started since this host accepted this run; so one new start, not more."""
    workspace = onboard(fleet, web1)
    before = web1.agent.pid()
    forced = desk.submit("restart", "--host", "web1", "-p", "force=true")
    assert (forced.code, forced.outcomes) == (0, {"web1": "changed"})
    assert web1.agent.pid() != before
    assert starts(workspace) == 2
    assert desk.submit("restart", "--host", "web1").outcomes == {"web1": "ok"}
    assert starts(workspace) == 2


@pytest.mark.parametrize(("seconds", "outcome"), [(2, "ok"), (3, "failed")])
def test_check_allows_two_seconds_between_start_and_certificate(
    fleet: Fleet, desk: Desk, web1: FleetHost, seconds: int, outcome: str
) -> None:
    """A certificate of up to two seconds after the agent's start is no incident; three are one."""
    workspace = onboard(fleet, web1)
    started = process.started_at(web1.agent.pid() or 0)
    assert started is not None
    not_before = math.floor(started + seconds)
    write_certificate(workspace, not_before)
    eventually(lambda: time.time() > not_before, what="the certificate to be valid")
    found = desk.submit("check", "--host", "web1")
    assert (found.outcomes["web1"], found.steps("web1")[STALE]) == (outcome, outcome)


def test_two_workspaces_are_judged_and_restarted_each_on_its_own(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """Each workspace has a pass of its own; `-p workspace=` chooses one; neighbours are named."""
    first = onboard(fleet, web1)
    second = onboard(fleet, web1, second=True)
    for neighbour in ("scom", "LAD"):
        web1.agent.add_neighbour(neighbour)
    web1.agent.renew(second.name)
    pids = [web1.agent.pid(one.name) for one in (first, second)]

    found = desk.submit("check", "--host", "web1")
    assert found.code == 3
    assert found.steps("web1", first.name)[STALE] == "ok"
    assert found.steps("web1", second.name)[STALE] == "failed"
    assert any("scom" in note and "LAD" in note for note in found.host("web1")["notes"])

    spared = desk.submit("restart", "--host", "web1", "-p", f"workspace={first.name}")
    assert spared.outcomes == {"web1": "ok"}
    assert list(spared.passes("web1")) == [first.name]
    assert [web1.agent.pid(one.name) for one in (first, second)] == pids

    repaired = desk.submit("restart", "--host", "web1")
    assert repaired.outcomes == {"web1": "changed"}
    assert web1.agent.pid(first.name) == pids[0]
    assert web1.agent.pid(second.name) != pids[1]
    await_upload(web1, OK, second.name)
    assert_untouched(web1)


def assert_untouched(host: FleetHost) -> None:
    """The neighbours' directories are as they were made."""
    for neighbour in ("scom", "LAD"):
        config: Path = host.agent.places.workspace(neighbour).daemon_config
        assert config.read_text() == "# not the agent's own\n"


def test_check_without_any_workspace_says_that_none_was_found(desk: Desk, web1: FleetHost) -> None:
    """A host without the agent is no failure, but it is told."""
    found = desk.submit("check", "--host", "web1")
    assert (found.code, found.outcomes) == (0, {"web1": "ok"})
    assert found.host("web1")["notes"]


def test_check_mode_of_restart_tells_what_would_change_and_changes_nothing(
    fleet: Fleet, desk: Desk, web1: FleetHost
) -> None:
    """`--check` comes from the very same condition, exits 8, and leaves the process alone."""
    workspace = onboard(fleet, web1)
    web1.agent.renew()
    told = desk.submit("restart", "--host", "web1", "--check")
    assert (told.code, told.outcomes) == (8, {"web1": "would_change"})
    assert starts(workspace) == 1
