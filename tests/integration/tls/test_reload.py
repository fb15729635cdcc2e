"""`tls/reload` on nginx, HAProxy and PostgreSQL themselves: each rung of its ladder."""

import stat
from collections.abc import Mapping
from importlib import resources

from contract.report import Report, StepReport
from tests.integration.tls.daemon import Daemon
from tests.integration.tls.pair import Authority, Pair
from tests.worker_host import WorkerHost

RELOAD = resources.files("runbooks").joinpath("tls/reload.yaml").read_text()
# Less patient with what is not going to do anyhow: the reload, or the restart, too.
QUICK = RELOAD.replace("within: 10s", "within: 300ms")
HASTY = QUICK.replace("within: 30s", "within: 1s", 1)
NAMES = ("www.example", "example")
CERTIFICATE, CHAIN, NAMED, CONFIG, SERVES, COPIED, KEPT = range(7)
RESTARTED, WAY_BACK, ASIDE, BACK, OLD_SERVED = range(5)


def reload(
    host: WorkerHost,
    daemon: Daemon,
    *,
    runbook: str = RELOAD,
    check: bool = False,
    **others: str | int | bool,
) -> list[StepReport]:
    """Order it, and return what became of its steps."""
    host.inbox.put(host.order(runbook, check=check, params=daemon.parameters(**others)))
    host.work()
    report: Report = max(host.heard(Report), key=lambda report: report.counter)
    return report.passes[0].steps


def told(steps: list[StepReport]) -> list[str]:
    return [step.outcome.value for step in steps]


def rescued(steps: list[StepReport]) -> list[str]:
    return told(steps[SERVES].rescue)


def settle(host: WorkerHost, daemon: Daemon) -> None:
    """Have it seen to once: what it serves is kept from then on."""
    assert told(reload(host, daemon))[SERVES:] == ["ok", "changed", "changed"]


def test_fresh_daemon_is_left_alone_and_its_pair_is_kept(host: WorkerHost, daemon: Daemon) -> None:
    before = daemon.files()
    settle(host, daemon)
    assert daemon.files() == before
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in daemon.pairs.iterdir()} == {
        f"{kind}.{end}": stat.S_IMODE(file.stat().st_mode)
        for kind in ("verified", "candidate")
        for end, file in (("pem", daemon.certificate), ("key", daemon.key))
    }
    assert stat.S_IMODE(daemon.pairs.stat().st_mode) == 0o700
    again = reload(host, daemon)
    assert set(told(again)) - {"skipped"} == {"ok"}


def test_stale_daemon_is_reloaded_and_the_second_run_finds_all_ok(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    new = authority.pair(*NAMES, "more.example")
    daemon.renew(new)
    would = reload(host, daemon, check=True)
    assert told(would)[SERVES] == "would_change"
    assert daemon.served() != new.sha256
    steps = reload(host, daemon, restart="/bin/false")
    assert (told(steps)[SERVES:], rescued(steps)) == (["changed"] * 3, [])
    assert daemon.served() == new.sha256
    assert set(told(reload(host, daemon))) - {"skipped"} == {"ok"}


def test_key_of_another_certificate_stops_before_anything_is_touched(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    served, new, other = daemon.served(), authority.pair(*NAMES), authority.pair(*NAMES)
    daemon.renew(Pair(new.leaf, new.chain, other.key))
    before = daemon.files()
    steps = reload(host, daemon)
    assert told(steps) == ["failed", *["skipped"] * 6]
    assert steps[CERTIFICATE].reason == "not so: state.key_matches"
    assert (daemon.files(), daemon.served(), daemon.pairs.exists()) == (before, served, False)


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
    steps = reload(host, daemon, runbook=QUICK, reload="/bin/true")
    assert (told(steps)[SERVES], rescued(steps)) == ("changed", ["changed", *["skipped"] * 4])
    assert daemon.served() == new.sha256


def test_daemon_that_refuses_the_new_pair_gets_the_old_one_back(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    served, before = daemon.served(), without_place(daemon)
    daemon.renew(authority.weak(*NAMES))
    steps = reload(host, daemon, runbook=HASTY)
    assert told(steps)[SERVES:] == ["rolled_back", "skipped", "skipped"]
    assert rescued(steps) == ["failed", "ok", "changed", "changed", "changed"]
    assert "the earlier state was put back" in steps[SERVES].reason
    assert (daemon.served(), without_place(daemon)) == (served, before)
    assert (daemon.pairs / "candidate.pem").read_bytes() != daemon.certificate.read_bytes()
    assert set(told(reload(host, daemon))) - {"skipped"} == {"ok"}


def test_daemon_that_is_down_is_started_with_its_new_pair(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    settle(host, daemon)
    daemon.tell("stop")
    new = authority.pair(*NAMES)
    daemon.renew(new)
    steps = reload(host, daemon, runbook=QUICK)
    assert (told(steps)[SERVES], rescued(steps)[RESTARTED]) == ("changed", "changed")
    assert daemon.served() == new.sha256


def without_place(daemon: Daemon) -> Mapping[str, tuple[object, ...]]:
    """What the pair is, whatever file it stands in."""
    return {name: found[:-1] for name, found in daemon.files().items()}
