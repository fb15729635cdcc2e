"""Section 7, -x, -X and onboarding anew: what is lost, and what only looks well."""

import pytest

from lab import key_value, process
from tests.integration.lab.conftest import FALSE_LINE, WRONG_KEY, Site


def test_remove_one_wipes_its_directories_and_its_daemon(joined: Site) -> None:
    pid = joined.host.pid()
    assert pid is not None
    assert joined.admin("-x", joined.id).returncode == 0
    assert not joined.files.config.exists()
    assert not joined.files.state.exists()
    assert not process.alive(pid)
    assert joined.host.places.primary() is None
    assert not (joined.host.places.config / "conf").is_symlink()


def test_what_a_removal_leaves(joined: Site) -> None:
    """The proxy setting, sysconf, the program and its symlink survive."""
    places = joined.host.places
    places.proxy.write_text("proxy.test:1\n")
    joined.admin("-x", joined.id)
    assert places.proxy.exists()
    assert (places.config / "sysconf/installinfo.txt").exists()
    assert (places.program / f"bin/omsagent-{joined.id}").is_symlink()
    assert joined.id not in (joined.host.root / "etc/rsyslog.d/95-omsagent.conf").read_text()


def test_onboarding_after_a_removal_makes_a_new_guid(joined: Site) -> None:
    """Not idempotent: a new SourceComputerId in the workspace."""
    before = key_value.parse(joined.files.identity)["AGENT_GUID"]
    joined.admin("-x", joined.id)
    assert joined.join().returncode == 0
    assert key_value.parse(joined.files.identity)["AGENT_GUID"] != before
    joined.wait_for_upload(200)


def test_remove_all_takes_every_workspace_and_scom_and_lad(joined: Site) -> None:
    """The neighbours go too, and custom configuration with them."""
    second = joined.host.cloud.workspace()
    joined.host.onboard(second.id, second.key, second=True)
    joined.host.add_neighbour("scom")
    joined.host.add_neighbour("LAD")
    assert joined.admin("-X").returncode == 0
    places = joined.host.places
    for name in (joined.id, second.id, "scom", "LAD"):
        assert not (places.config / name).exists()
        assert not (places.state / name).exists()
    assert joined.host.pid(second.id) is None


def test_remove_one_leaves_the_others(joined: Site) -> None:
    second = joined.host.cloud.workspace()
    joined.host.onboard(second.id, second.key, second=True)
    joined.host.add_neighbour("LAD")
    pid = joined.host.pid(joined.id)
    joined.admin("-x", second.id)
    assert joined.host.pid(joined.id) == pid
    assert (joined.host.places.config / "LAD").is_dir()


def test_half_onboarded_host_looks_onboarded(joined: Site) -> None:
    """Removed, and the onboarding failed: -l and is-running both lie, restart exits 1."""
    joined.admin("-x", joined.id)
    assert joined.join(key="d3Jvbmc=").returncode == 5
    assert "Onboarded(OMSAgent Running)" in joined.admin("-l").stdout
    assert joined.control("is-running", joined.id).returncode == 1
    assert joined.control("restart", joined.id).returncode == 1
    assert joined.host.pid(joined.id) is None
    assert joined.join().returncode == 0
    joined.wait_for_upload(200)


def test_secondary_once_removed_cannot_come_back_beside_its_primary(joined: Site) -> None:
    """Newest scripts do nothing for a second workspace, and exit 0."""
    workspace = joined.host.cloud.workspace()
    joined.host.onboard(workspace.id, workspace.key, second=True)
    second = Site(joined.host, workspace.id, workspace.key)
    second.admin("-x", second.id)
    assert second.join("-m", "marker").returncode == 0
    assert not second.files.identity.exists()


def test_running_agent_is_left_alone_with_exit_0(joined: Site) -> None:
    """Even a wrong key is not noticed: nothing is done."""
    pid, before = joined.host.pid(), joined.files.certificate.read_bytes()
    done = joined.join(key=WRONG_KEY)
    assert (done.returncode, FALSE_LINE in done.stdout) == (0, True)
    assert joined.host.pid() == pid
    assert joined.files.certificate.read_bytes() == before


def test_stopped_agent_keeps_guid_and_certificate(joined: Site) -> None:
    guid = key_value.parse(joined.files.identity)["AGENT_GUID"]
    before = joined.files.certificate.read_bytes()
    joined.control("stop", joined.id)
    done = joined.join()
    assert (done.returncode, FALSE_LINE in done.stdout) == (0, False)
    assert key_value.parse(joined.files.identity)["AGENT_GUID"] == guid
    assert joined.files.certificate.read_bytes() == before
    assert joined.host.pid() is not None


def test_stopped_agent_loses_its_certificate_when_onboarding_fails(joined: Site) -> None:
    """The pair of a working identity is deleted; omsadmin.conf stays."""
    joined.control("stop", joined.id)
    assert joined.join(key=WRONG_KEY).returncode == 5
    assert not joined.files.certificate.exists()
    assert not joined.files.key.exists()
    assert joined.files.identity.exists()


@pytest.mark.parametrize("more", [[], ["-m", "marker"]])
def test_second_workspace_is_not_onboarded_but_exits_0(joined: Site, more: list[str]) -> None:
    """The line is false, and nothing is done while a primary exists."""
    second = joined.host.cloud.workspace()
    joined.host.make_resolvable(second.id)
    other = Site(joined.host, second.id, second.key)
    done = other.join(*more)
    assert (done.returncode, FALSE_LINE in done.stdout) == (0, True)
    assert not other.files.identity.exists()


def test_identity_file_is_sourced_by_a_shell(joined: Site) -> None:
    """Code in omsadmin.conf, which omsagent owns, is run by root: parse it, never source it."""
    trace = joined.host.root / "trace"
    with joined.files.identity.open("a") as file:
        file.write(f'AZURE_RESOURCE_ID="$(touch {trace})"\n')
    joined.control("restart", joined.id)
    assert trace.exists()


def test_removal_loses_configuration_unsent_data_and_the_log(joined: Site) -> None:
    """Nothing is backed up, the evidence of an incident included."""
    custom = joined.files.config / "conf/omsagent.d/custom.conf"
    custom.write_text("# a custom log\n")
    joined.make_stale()
    joined.admin("-x", joined.id)
    assert not custom.exists()
    assert not joined.files.log.exists()
    assert not (joined.files.state / "state").exists()
