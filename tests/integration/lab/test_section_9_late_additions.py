"""Section 9, what was found out last."""

import stat
import time

from tests.integration.lab.conftest import WRONG_KEY, Site


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
