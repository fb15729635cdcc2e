"""What a ladder must stand besides: a first time, links, crashes, and what else may be wrong."""

import pytest

from tests.integration.tls.daemon import Daemon
from tests.integration.tls.orders import (
    CHAIN,
    CONFIG,
    HASTY,
    NAMES,
    RELOAD,
    SERVES,
    WAY_BACK,
    is_all_ok,
    last_pass,
    order,
    reload,
    rescued,
    settle,
    told,
)
from tests.integration.tls.pair import Authority, Pair
from tests.unit.worker.lives import KILL_EXECUTOR, live
from tests.unit.worker.snapshot import snapshot
from tests.worker_host import WorkerHost
from worker.policy_file import shipped_policy

pytestmark = pytest.mark.parametrize("installed", ["nginx"], indirect=True)


def test_check_mode_tells_what_would_be_done_and_touches_nothing(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    served = daemon.served()
    daemon.renew(authority.pair(*NAMES))
    before = snapshot(daemon.home)
    host.inbox.put(host.order(RELOAD, check=True, params=daemon.parameters()))
    host.work()
    assert told(last_pass(host).steps)[SERVES] == "would_change"
    assert (daemon.served(), snapshot(daemon.home)) == (served, before)


def test_first_time_with_a_bad_pair_says_that_there_is_no_way_back(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    daemon.renew(authority.weak(*NAMES))
    steps = reload(host, daemon, HASTY)
    assert rescued(steps) == ["failed", "failed", "skipped", "skipped", "skipped"]
    assert told(steps)[SERVES] == "failed"
    assert steps[SERVES].reason.endswith(
        "the rollback failed at 'there is an earlier pair to go back to'"
    )
    assert steps[SERVES].rescue[WAY_BACK].reason.startswith("not so: verified.exists")


def test_test_of_the_configuration_stops_before_anything_is_touched(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    """The daemon itself says that it would not take the pair: it is never told to."""
    served = daemon.served()
    daemon.renew(authority.weak(*NAMES))
    steps = reload(host, daemon, config_test=str(daemon.home / "test"))
    assert told(steps)[CONFIG:] == ["failed", "skipped", "skipped", "skipped"]
    assert steps[CONFIG].reason == "not so: config.exit_code == 0"
    assert "ee key too small" in str(last_pass(host).values["config_test"])
    assert (daemon.served(), daemon.pairs.exists()) == (served, False)


def test_chain_that_is_gone_stops_unless_it_is_meant(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    new = authority.pair(*NAMES)
    daemon.renew(Pair(new.leaf, (), new.key))
    assert told(reload(host, daemon))[CHAIN:SERVES] == ["failed", "skipped", "skipped"]
    assert told(reload(host, daemon, chain="any"))[CHAIN] == "ok"
    assert daemon.served() == new.sha256


def test_forced_daemon_is_reloaded_once_although_it_needs_none(
    host: WorkerHost, daemon: Daemon
) -> None:
    settle(host, daemon)
    daemon.script("counted", "echo x >> reloads; exec ./reload")
    steps = reload(host, daemon, reload=str(daemon.home / "counted"), force=True)
    assert (told(steps)[SERVES], steps[SERVES].attempts) == ("changed", 1)
    assert (daemon.home / "reloads").read_text() == "x\n"


def test_links_of_a_renewal_tool_stay_when_the_pair_goes_back(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    """As certbot has it: `live` is links into `archive`, and what is no link it renews no more."""
    archive = daemon.home / "archive"
    archive.mkdir()
    for number, pair in enumerate((authority.pair(*NAMES), authority.weak(*NAMES)), 1):
        (archive / f"crt{number}").write_bytes(pair.certificate_pem)
        (archive / f"key{number}").write_bytes(pair.key_pem)
        for kind, path in (("crt", daemon.certificate), ("key", daemon.key)):
            path.unlink()
            path.symlink_to(archive / f"{kind}{number}")
        if number == 1:
            assert told(reload(host, daemon))[SERVES:] == ["changed"] * 3
    refused = (archive / "crt2").read_bytes()
    assert told(reload(host, daemon, HASTY))[SERVES] == "rolled_back"
    assert daemon.certificate.readlink() == archive / "crt2"
    assert (archive / "crt2").read_bytes() == (archive / "crt1").read_bytes()
    assert (daemon.pairs / "candidate.pem").read_bytes() == refused
    daemon.certificate.unlink()
    daemon.key.unlink()


@pytest.mark.parametrize("at", [1, 2], ids=["restart", "way-back"])
def test_executor_killed_in_a_restart_goes_on_up_the_ladder(
    host: WorkerHost, daemon: Daemon, authority: Authority, at: int
) -> None:
    settle(host, daemon)
    served, before = daemon.served(), daemon.pair()
    daemon.renew(authority.weak(*NAMES))
    killing = f"echo x >> killed; [ $(wc -l < killed) != {at} ] || {{ {KILL_EXECUTOR}; }}"
    daemon.script("deadly", f"./stop; {killing}; exec ./start")
    (daemon.home / "killed").unlink(missing_ok=True)
    impatient = HASTY.replace("within: 30s", "within: 2s")
    host.inbox.put(order(host, daemon, impatient, restart=str(daemon.home / "deadly")))
    assert not live(host)
    assert live(host)
    steps = last_pass(host).steps
    assert told(steps)[SERVES:] == ["rolled_back", "skipped", "skipped"]
    assert (daemon.served(), daemon.pair()) == (served, before)
    assert is_all_ok(reload(host, daemon))


def test_program_that_the_policy_does_not_allow_is_not_started(
    host: WorkerHost, daemon: Daemon
) -> None:
    """The host has the last word on what a parameter may name."""
    allowed = shipped_policy("permissive").replace(
        'executables: ["*"]', f"executables: [{daemon.home}/restart]"
    )
    host.config.policy.write_text(allowed)
    host.inbox.put(order(host, daemon))
    host.work()
    (refusal,) = host.said()
    assert refusal.reason == "policy_executable"
    assert str(daemon.home / "reload") in refusal.detail
