"""E/proxy.conf: written before anything is tried, and never taken back."""

import stat

import pytest

from tests.integration.lab.conftest import Site


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


@pytest.mark.parametrize("proxy", ["nowhere.test:1", "user@:"])
def test_unknown_or_badly_written_proxy_exits_4(fresh: Site, proxy: str) -> None:
    assert fresh.join("-p", proxy).returncode == 4


def test_old_proxy_setting_is_copied_by_migrate(joined: Site) -> None:
    (joined.files.config / "conf/proxy.conf").write_text("old.test:3128\n")
    assert joined.admin("-U").returncode == 0
    assert joined.host.places.proxy.read_text() == "old.test:3128\n"
