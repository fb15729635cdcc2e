"""The incident itself: a renewed certificate on disk, the old one in the daemon's memory."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from lab import message, process, renewal
from lab.host import LabHost
from tests.integration.lab.conftest import Site
from tests.waiting import eventually


def _certificate(site: Site) -> x509.Certificate:
    return x509.load_pem_x509_certificate(site.files.certificate.read_bytes())


def _make_stale(site: Site) -> int:
    """Renew at once: the daemon's memory is old whether or not its start counts as before."""
    site.wait_for_upload(200)
    pid = site.host.pid()
    renewal.renew(site.host.root, site.id)
    site.wait_for_upload(403)
    assert pid is not None
    return pid


def test_upload_after_a_renewal_is_refused_until_a_restart(joined: Site) -> None:
    """Uploads use what was read at the first flush; only a restart reads it again."""
    pid = _make_stale(joined)
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
    begins = _certificate(joined).not_valid_before_utc
    assert datetime.fromtimestamp(started, UTC) < begins - timedelta(seconds=2)
    joined.control("restart", joined.id)
    again = process.started_at(joined.host.pid() or 0)
    assert again is not None
    assert datetime.fromtimestamp(again, UTC) >= begins - timedelta(seconds=2)


def test_topology_request_of_a_stale_host_still_succeeds(joined: Site) -> None:
    """Topology 200 and upload 403 stand side by side in the cloud's own log."""
    _make_stale(joined)
    began = time.time()

    def both() -> bool:
        seen = {
            (request.path, request.status)
            for request in joined.host.cloud.requests(since=began)
            if request.workspace == joined.id
        }
        return seen == {(message.TOPOLOGY, 200), (message.UPLOAD, 403)}

    eventually(both, what="a topology request and a refused upload")


def test_log_of_a_stale_host_goes_on_lying(joined: Site) -> None:
    """The heartbeat line only means "queued"; the 403 line comes once, the warning every time."""
    _make_stale(joined)
    before = joined.log
    again = "temporarily failed to flush the buffer"
    heartbeat = "Sending OMS Heartbeat succeeded at"
    eventually(
        lambda: (
            joined.log.count(again) > before.count(again) + 2
            and joined.log.count(heartbeat) > before.count(heartbeat)
            and "topology request success" in joined.log[len(before) :]
        ),
        what="more of the same lines",
    )
    assert joined.log.count("[error]: HTTP Error: (request-id=;") == 1
    assert "class=Net::HTTPForbidden; code=403; message=Forbidden" in joined.log
    assert "Encountered retryable exception. Will retry sending data later." in joined.log
    assert "Certificates successfully renewed" in joined.log


def test_status_file_tells_the_last_upload(joined: Site) -> None:
    """V/log/ODSIngestion.status lies in the primary's log directory."""
    path = joined.host.places.upload_status

    def told() -> tuple[str, str]:
        status = json.loads(path.read_text())
        assert status["operation"] == "ODSIngestion"
        return status["success"], status["message"]

    joined.wait_for_upload(200)
    eventually(lambda: told() == ("true", "Sending success"))
    renewal.renew(joined.host.root, joined.id)
    eventually(lambda: told() == ("false", "Retryable exception"))


def test_renewal_overwrites_the_pair_in_place(joined: Site) -> None:
    """The same inodes, a new RSA-2048 pair valid for 365 days from now, the same GUID."""
    files = (joined.files.key, joined.files.certificate)
    inodes = [path.stat().st_ino for path in files]
    old = _certificate(joined)
    began = datetime.now(UTC).replace(microsecond=0)
    told = renewal.renew(joined.host.root, joined.id)
    new = _certificate(joined)
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


def test_unsent_data_is_kept_and_the_oldest_dropped(joined: Site) -> None:
    """At most ten chunks wait; a restart saves what is still in the buffer files."""
    _make_stale(joined)
    folder = joined.files.state / "state"
    first = min(folder.glob("out_oms.*.buffer"))
    eventually(lambda: not first.exists(), what="the loss of the oldest chunk")
    assert len(list(folder.glob("out_oms.*.buffer"))) <= 10
    joined.control("restart", joined.id)
    eventually(lambda: not list(folder.glob("out_oms.*.buffer")), what="an empty buffer")


def test_certificate_near_its_end_began_in_the_past(fresh: Site) -> None:
    """A life of 365 days of which twenty are left; it is good, and used for one onboarding."""
    fresh.host.onboard(fresh.id, fresh.key, days=20)
    found = _certificate(fresh)
    left = found.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=19) < left <= timedelta(days=20)
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=365)
    fresh.wait_for_upload(200)
    fresh.admin("-x", fresh.id)
    assert fresh.join().returncode == 0
    assert _certificate(fresh).not_valid_after_utc > datetime.now(UTC) + timedelta(days=364)


def test_expired_certificate_is_refused_and_a_restart_does_not_help(fresh: Site) -> None:
    """Not affected but broken: only a new onboarding repairs it."""
    fresh.host.onboard(fresh.id, fresh.key, days=-1)
    fresh.wait_for_upload(403)
    began = time.time()
    fresh.control("restart", fresh.id)
    fresh.wait_for_upload(403, since=began)


def test_wrong_clock_is_refused_too(joined: Site) -> None:
    """A 403 alone does not prove the incident: clock skew gives one as well."""
    joined.wait_for_upload(200)
    joined.host.configure(clock_skew=1200)
    joined.wait_for_upload(403)
    joined.host.configure(clock_skew=0)
    joined.wait_for_upload(200, since=time.time())


def test_daemon_shows_the_real_path_of_its_pid_file(joined: Site) -> None:
    """Command line and comm are the ones of a SysV host."""
    pid = joined.host.pid()
    assert pid is not None
    program = joined.host.places.program
    shown = process.command_line(pid)
    assert shown == (
        f"{program}/ruby/bin/ruby {program}/bin/omsagent-{joined.id} -d {joined.files.pid_file} "
        f"--no-supervisor -o {joined.files.log} -c {joined.files.daemon_config}"
    )


def test_daemon_whose_owner_is_gone_ends_itself(joined: Site) -> None:
    """Nothing of a demo is left running, even after kill -9."""
    joined.host.configure(owner="4194304999:1")
    eventually(lambda: joined.host.pid() is None, what="the end of the daemon")
    assert not joined.files.pid_file.exists()


def test_stop_leaves_no_daemon_even_of_a_removed_workspace(joined: Site) -> None:
    """The sweep goes by command lines, not by pid files."""
    pid = joined.host.pid()
    assert pid is not None
    joined.files.pid_file.unlink()
    host: LabHost = joined.host
    host.stop()
    assert not process.alive(pid)
