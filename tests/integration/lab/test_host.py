"""What only a lab host has: it runs anywhere, chooses its certificates, and ends."""

import os
import subprocess
from datetime import UTC, datetime, timedelta

from lab import process
from lab.host import LabHost
from lab.service_control import allowed
from tests.integration.lab.conftest import Site
from tests.waiting import eventually


def test_scripts_work_from_anywhere_with_only_a_path(fresh: Site) -> None:
    """Called by a relative name, without HOME and PYTHONPATH."""
    done = subprocess.run(
        ["./omsadmin.sh", "-l"],
        cwd=fresh.host.admin.parent,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "No Workspace\n")


def test_certificate_near_its_end_began_in_the_past(fresh: Site) -> None:
    """A life of 365 days of which twenty are left; it is good, and used for one onboarding."""
    fresh.host.onboard(fresh.id, fresh.key, days=20)
    found = fresh.certificate()
    left = found.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=19) < left <= timedelta(days=20)
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=365)
    fresh.wait_for_upload(200)
    fresh.admin("-x", fresh.id)
    assert fresh.join().returncode == 0
    assert fresh.certificate().not_valid_after_utc > datetime.now(UTC) + timedelta(days=364)


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
    host.stop()  # what is ending has no arguments any more, and is a process for a moment still
    eventually(lambda: not process.alive(pid), what="the end of the daemon")


def test_owner_of_the_root_stands_for_root(fresh: Site) -> None:
    """Everybody else is refused, with 77 by service_control and 1 by omsadmin.sh."""
    root = fresh.host.root
    assert allowed(root, os.geteuid())
    assert allowed(root, 0)
    assert not allowed(root, root.stat().st_uid + 54321)


def test_daemon_ends_when_its_host_is_gone(joined: Site) -> None:
    pid = joined.host.pid()
    assert pid is not None
    (joined.host.root / "etc/lab.conf").unlink()
    eventually(lambda: not process.alive(pid), what="the end of the daemon")
