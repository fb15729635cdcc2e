"""omsadmin.sh -x and -X: what is deleted, what survives, and how a half-onboarded host looks."""

from lab import key_value, process
from tests.integration.lab.conftest import Site


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


def test_remove_takes_any_name_unvalidated(joined: Site) -> None:
    """`-x sysconf` deletes the templates; `-x ../..` ends at the agent's own directories."""
    places = joined.host.places
    assert joined.admin("-x", "sysconf").returncode == 0
    assert not (places.config / "sysconf").exists()
    assert joined.admin("-x", "../../..").returncode == 0
    assert joined.files.identity.exists()


def test_removal_in_the_same_call_comes_last(fresh: Site) -> None:
    """`-X -w .. -s ..` onboards and then removes."""
    done = fresh.admin("-X", "-w", fresh.id, "-s", fresh.key, "-d", fresh.host.cloud.tld)
    assert done.returncode == 0
    assert "Onboarding success" in done.stdout
    assert not fresh.files.config.exists()


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
