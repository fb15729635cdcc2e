"""`tls/reload` on nginx, HAProxy and PostgreSQL themselves: each rung of its ladder."""

import stat

from tests.integration.tls.daemon import Daemon
from tests.integration.tls.orders import (
    CERTIFICATE,
    HASTY,
    NAMED,
    NAMES,
    QUICK,
    RESTARTED,
    SERVES,
    is_all_ok,
    reload,
    rescued,
    settle,
    told,
)
from tests.integration.tls.pair import Authority, Pair
from tests.worker_host import WorkerHost


def test_fresh_daemon_is_left_alone_and_its_pair_is_kept(host: WorkerHost, daemon: Daemon) -> None:
    before = daemon.pair()
    settle(host, daemon)
    assert daemon.pair() == before
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in daemon.pairs.iterdir()} == {
        f"{kind}.{end}": stat.S_IMODE(file.stat().st_mode)
        for kind in ("verified", "candidate")
        for end, file in (("pem", daemon.certificate), ("key", daemon.key))
    }
    assert stat.S_IMODE(daemon.pairs.stat().st_mode) == 0o700
    assert is_all_ok(reload(host, daemon))


def test_stale_daemon_is_reloaded_and_the_second_run_finds_all_ok(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    new = authority.pair(*NAMES, "more.example")
    daemon.renew(new)
    steps = reload(host, daemon, restart="/bin/false")
    assert (told(steps)[SERVES:], rescued(steps)) == (["changed"] * 3, [])
    assert daemon.served() == new.sha256
    assert is_all_ok(reload(host, daemon))


def test_key_of_another_certificate_stops_before_anything_is_touched(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    served, new, other = daemon.served(), authority.pair(*NAMES), authority.pair(*NAMES)
    daemon.renew(Pair(new.leaf, new.chain, other.key))
    before = daemon.pair()
    steps = reload(host, daemon)
    assert told(steps) == ["failed", *["skipped"] * 6]
    assert steps[CERTIFICATE].reason == "not so: state.key_matches"
    assert (daemon.pair(), daemon.served(), daemon.pairs.exists()) == (before, served, False)


def test_certificate_with_fewer_names_stops_unless_it_is_meant(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    served, new = daemon.served(), authority.pair("www.example")
    daemon.renew(new)
    steps = reload(host, daemon)
    assert told(steps)[: NAMED + 1] == ["ok", "ok", "failed"]
    assert steps[NAMED].evidence["state.lost_names"] == ["example"]
    assert daemon.served() == served
    assert told(reload(host, daemon, fewer_names=True))[SERVES] == "changed"
    assert daemon.served() == new.sha256


def test_reload_that_does_nothing_is_followed_by_a_restart(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    new = authority.pair(*NAMES)
    daemon.renew(new)
    steps = reload(host, daemon, QUICK, reload="/bin/true")
    assert (told(steps)[SERVES], rescued(steps)) == ("changed", ["changed", *["skipped"] * 4])
    assert daemon.served() == new.sha256


def test_daemon_that_refuses_the_new_pair_gets_the_old_one_back(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    served, before = daemon.served(), daemon.pair()
    daemon.renew(authority.weak(*NAMES))
    steps = reload(host, daemon, HASTY)
    assert told(steps)[SERVES:] == ["rolled_back", "skipped", "skipped"]
    assert rescued(steps) == ["failed", "ok", "changed", "changed", "changed"]
    assert "the earlier state was put back" in steps[SERVES].reason
    assert (daemon.served(), daemon.pair()) == (served, before)
    assert (daemon.pairs / "candidate.pem").read_bytes() != daemon.certificate.read_bytes()
    assert is_all_ok(reload(host, daemon))


def test_daemon_that_is_down_is_started_with_its_new_pair(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    daemon.tell("stop")
    new = authority.pair(*NAMES)
    daemon.renew(new)
    steps = reload(host, daemon, QUICK)
    assert (told(steps)[SERVES], rescued(steps)[RESTARTED]) == ("changed", "changed")
    assert daemon.served() == new.sha256
