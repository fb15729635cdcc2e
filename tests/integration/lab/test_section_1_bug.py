"""Section 1, the bug itself: a renewed certificate on disk, the old one in memory."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from lab import message, process, renewal
from tests.integration.lab.conftest import Site
from tests.waiting import eventually


def test_upload_after_a_renewal_is_refused_until_a_restart(joined: Site) -> None:
    """Uploads use what was read at the first flush; only a restart reads it again."""
    pid = joined.make_stale()
    assert joined.host.pid() == pid
    began = time.time()
    assert joined.control("restart", joined.id).returncode == 0
    joined.wait_for_upload(200, since=began)
    assert joined.host.pid() not in (None, pid)


def test_daemon_of_a_stale_host_started_before_not_before(joined: Site) -> None:
    """The rule that decides "affected", with its slack of two seconds."""
    joined.host.renew()
    pid = joined.host.pid()
    started = process.started_at(pid or 0)
    assert started is not None
    begins = joined.certificate().not_valid_before_utc
    assert datetime.fromtimestamp(started, UTC) < begins - timedelta(seconds=2)
    joined.control("restart", joined.id)
    again = process.started_at(joined.host.pid() or 0)
    assert again is not None
    assert datetime.fromtimestamp(again, UTC) >= begins - timedelta(seconds=2)


def test_topology_request_of_a_stale_host_still_succeeds(joined: Site) -> None:
    """Topology 200 and upload 403 stand side by side in the cloud's own log."""
    joined.make_stale()
    began = time.time()

    def both() -> bool:
        seen = {
            (request.path, request.status)
            for request in joined.host.cloud.requests(since=began)
            if request.workspace == joined.id
        }
        return seen == {(message.TOPOLOGY, 200), (message.UPLOAD, 403)}

    eventually(both, what="a topology request and a refused upload")


def test_renewal_overwrites_the_pair_in_place(joined: Site) -> None:
    """The same inodes, a new RSA-2048 pair valid for 365 days from now, the same GUID."""
    files = (joined.files.key, joined.files.certificate)
    inodes = [path.stat().st_ino for path in files]
    old = joined.certificate()
    began = datetime.now(UTC).replace(microsecond=0)
    told = renewal.renew(joined.host.root, joined.id)
    new = joined.certificate()
    assert [path.stat().st_ino for path in files] == inodes
    assert new.subject == old.subject
    assert new.serial_number != old.serial_number
    assert began <= new.not_valid_before_utc == told
    assert new.not_valid_after_utc - new.not_valid_before_utc == timedelta(days=365)


def test_renewal_is_authenticated_by_the_old_certificate(joined: Site) -> None:
    """The cloud logs the old fingerprint at the renewal and the new one right after it."""
    joined.wait_for_upload(200)
    renewal.renew(joined.host.root, joined.id)
    renewals = [
        request
        for request in joined.host.cloud.requests(path=message.RENEWAL)
        if request.workspace == joined.id
    ]
    uploads = joined.host.cloud.requests(path=message.UPLOAD)
    old = next(request.fingerprint for request in uploads if request.workspace == joined.id)
    assert [(request.status, request.fingerprint) for request in renewals] == [(200, old)]


def test_failed_renewal_writes_the_old_pair_back(joined: Site) -> None:
    """The mtime is new, notBefore is old, and the host is fine: mtime decides nothing."""
    joined.wait_for_upload(200)
    before = joined.files.certificate.read_bytes()
    touched = joined.files.certificate.stat().st_mtime_ns
    joined.host.make_unresolvable(joined.id)
    with pytest.raises(renewal.RenewalError, match="was not renewed"):
        renewal.renew(joined.host.root, joined.id)
    assert joined.files.certificate.read_bytes() == before
    assert joined.files.certificate.stat().st_mtime_ns > touched
    joined.host.make_resolvable(joined.id)
    joined.wait_for_upload(200, since=time.time())


def test_expired_certificate_is_refused_and_a_restart_does_not_help(fresh: Site) -> None:
    """Not affected but broken: only a new onboarding repairs it."""
    fresh.host.onboard(fresh.id, fresh.key, days=-1)
    fresh.wait_for_upload(403)
    began = time.time()
    fresh.control("restart", fresh.id)
    fresh.wait_for_upload(403, since=began)


def test_service_asks_and_the_agent_renews_by_itself(joined: Site) -> None:
    """In its answer to a topology request; the agent goes on uploading with the old one."""
    joined.wait_for_upload(200)
    old = joined.certificate()
    joined.host.cloud.ask_for_renewal(joined.id)
    joined.wait_for_upload(403)
    assert joined.certificate().not_valid_before_utc >= old.not_valid_before_utc
    assert joined.certificate().serial_number != old.serial_number
    assert "[info]: Renewing the certificates" in joined.log


def test_agent_that_nobody_asks_keeps_an_expired_certificate(fresh: Site) -> None:
    """It never looks at the date itself."""
    fresh.host.onboard(fresh.id, fresh.key, days=-1)
    before = fresh.files.certificate.read_bytes()
    fresh.wait_for_upload(403)
    eventually(lambda: "Error sending the topology request" in fresh.log)
    assert fresh.files.certificate.read_bytes() == before


def test_release_is_the_first_word_of_installinfo(fresh: Site) -> None:
    lines = fresh.host.places.install_info.read_text().splitlines()
    assert (lines[0].split()[0], lines[1]) == ("1.14.23-0", "2022-12-19")
