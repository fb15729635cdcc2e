"""Section 2, files, owners and modes."""

import stat

from lab import key_value
from lab.upload import route
from tests.integration.lab.conftest import Site


def test_onboarding_makes_files_modes_and_links(joined: Site) -> None:
    """The layout of section 2: 640 for the pair, 700 for its directory, links to the primary."""
    files, places = joined.files, joined.host.places
    assert stat.S_IMODE(files.certificate.stat().st_mode) == 0o640
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o640
    assert stat.S_IMODE(files.certificate.parent.stat().st_mode) == 0o700
    assert (places.config / "conf").resolve() == (files.config / "conf").resolve()
    assert (places.state / "log").resolve() == files.log.parent.resolve()
    assert places.primary() == joined.id
    told = key_value.parse(files.identity)
    assert (told["WORKSPACE_ID"], told["URL_TLD"]) == (joined.id, joined.host.cloud.tld)
    version = (places.config / "sysconf/installinfo.txt").read_text().split()[0]
    assert version == "1.14.23-0"
    assert not files.shared_key.exists()


def test_host_may_have_two_workspaces_from_older_scripts(joined: Site) -> None:
    second = joined.host.cloud.workspace()
    joined.host.onboard(second.id, second.key, second=True)
    assert joined.host.places.primary() == joined.id
    pids = {joined.host.pid(joined.id), joined.host.pid(second.id)}
    assert None not in pids
    assert len(pids) == 2
    assert joined.admin("-l").stdout.count("Onboarded(OMSAgent Running)") == 2


def test_old_proxy_setting_is_copied_by_migrate(joined: Site) -> None:
    (joined.files.config / "conf/proxy.conf").write_text("old.test:3128\n")
    assert joined.admin("-U").returncode == 0
    assert joined.host.places.proxy.read_text() == "old.test:3128\n"


def test_old_proxy_file_is_used_only_where_the_new_one_is_absent(joined: Site) -> None:
    places = joined.host.places
    (places.config / "conf/proxy.conf").write_text("old.test:3128\n")
    assert route(places).proxy == "old.test:3128"
    places.proxy.write_text("new.test:3128\n")
    assert route(places).proxy == "new.test:3128"


def test_unsent_data_waits_in_buffer_files_of_the_workspace(joined: Site) -> None:
    joined.make_stale()
    assert list((joined.files.state / "state").glob("out_oms*.buffer"))


def test_identity_is_plain_keys_and_values(joined: Site) -> None:
    told = key_value.parse(joined.files.identity)
    assert {"WORKSPACE_ID", "AGENT_GUID", "URL_TLD", "CERTIFICATE_UPDATE_ENDPOINT"} <= set(told)
