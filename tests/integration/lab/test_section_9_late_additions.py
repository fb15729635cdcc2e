"""Section 9, what was found out last."""

import stat
import time
from datetime import UTC, datetime, timedelta

from lab import process
from tests.integration.lab.conftest import WRONG_KEY, Site
from tests.waiting import eventually


def test_file_stays_with_the_key_after_a_failure(fresh: Site) -> None:
    fresh.write_file(key=WRONG_KEY)
    assert fresh.admin("-v").returncode == 5
    assert WRONG_KEY in fresh.host.places.onboarding_file.read_text()


def test_dead_logger_kills_the_file_and_proxy_paths_only(fresh: Site) -> None:
    fresh.host.configure(logger="dead")
    fresh.write_file()
    assert fresh.admin().returncode == 1
    assert not fresh.files.config.exists()
    assert fresh.join("-p", "proxy:1").returncode == 1
    assert fresh.join().returncode == 0


def test_agent_that_cannot_start_fails_after_the_whole_wait(joined: Site) -> None:
    """18 s upstream, in the lab's shorter seconds; without a workspace the failures are counted."""
    joined.host.configure(agent="broken", pace=0.02)
    began = time.monotonic()
    assert joined.control("restart", joined.id).returncode == 1
    assert time.monotonic() - began >= 18 * 0.02
    done = joined.control("restart")
    assert done.returncode == 1
    assert (
        f"ERROR:  restart_omsagent failed with result '1' on workspace {joined.id}" in done.stderr
    )


def test_dead_proxy_exits_4_and_its_setting_stays(fresh: Site, closed: int) -> None:
    """A later -w without -p still uses it; only rm clears it."""
    proxy = fresh.host.places.proxy
    assert fresh.join("-p", f"http://127.0.0.1:{closed}").returncode == 4
    assert stat.S_IMODE(proxy.stat().st_mode) == 0o600
    assert fresh.join().returncode == 4
    fresh.admin("-X")
    assert proxy.exists()
    proxy.unlink()
    assert fresh.join().returncode == 0


def test_repaired_release_heals_itself_by_its_sudo_rule(joined: Site) -> None:
    """In about a second: its new start is in the very second of the renewal, or just after."""
    joined.host.install_release("1.19.0-0")
    joined.wait_for_upload(200)
    pid, began = joined.host.pid(), time.time()
    joined.host.cloud.ask_for_renewal(joined.id)
    eventually(lambda: joined.host.pid() not in (None, pid), what="another process")
    joined.wait_for_upload(200, since=began)
    started = process.started_at(joined.host.pid() or 0)
    assert started is not None
    renewed = joined.certificate().not_valid_before_utc
    assert renewed - timedelta(seconds=2) <= datetime.fromtimestamp(started, UTC)


def test_repaired_release_without_its_sudo_rule_stays_stale_and_says_otherwise(
    joined: Site,
) -> None:
    """The line in the log is no proof of a restart."""
    joined.host.install_release("1.19.0-0")
    joined.host.places.sudo_rule.unlink()
    pid = joined.make_stale()
    assert "[info]: Restart omsagent service to apply renewed certificate." in joined.log
    assert joined.host.pid() == pid


def test_noise_of_a_good_stop_means_nothing(joined: Site) -> None:
    done = joined.control("stop", joined.id)
    assert (done.returncode, "must follow -p" in done.stderr) == (0, True)
