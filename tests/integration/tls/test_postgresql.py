"""What only PostgreSQL minds: whose a key is, and who may read it."""

import stat

import pytest

from tests.integration.tls.daemon import Daemon
from tests.integration.tls.orders import HASTY, NAMES, SERVES, is_all_ok, reload, settle, told
from tests.integration.tls.pair import Authority
from tests.worker_host import WorkerHost


@pytest.mark.parametrize("installed", ["postgresql"], indirect=True)
def test_key_that_others_may_read_goes_back_to_one_of_the_right_mode(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    """A good pair, badly put in place: content, owner and mode of the earlier one come back."""
    settle(host, daemon)
    served, before = daemon.served(), daemon.pair()
    daemon.renew(authority.pair(*NAMES))
    daemon.key.chmod(0o644)
    assert told(reload(host, daemon, HASTY))[SERVES] == "rolled_back"
    assert "has group or world access" in daemon.log()
    assert (daemon.served(), daemon.pair()) == (served, before)
    assert stat.S_IMODE(daemon.key.stat().st_mode) == 0o600
    assert is_all_ok(reload(host, daemon))
