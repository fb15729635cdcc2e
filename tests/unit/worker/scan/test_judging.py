"""What is asked of each certificate that was found, and which verdict counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract.certificate import CertificateVerdict
from tests.unit.worker.scan.samples import lay_out
from tests.unit.worker.scan.test_joining import MASTER, A, port
from tests.unit.worker.scan.test_scan import SITE, by_path, put_pair, told
from tests.unit.worker.systemd_stand_in import systemd
from worker.proc import boot_clock
from worker.root import Root
from worker.scan.daemons import DAEMONS, Configured
from worker.scan.discovery import Found
from worker.scan.joining import CertificateFile, Use
from worker.scan.judging import arguments_for, judge_all, severity
from worker.scan.owner import Owner, _closer

NGINX = next(daemon for daemon in DAEMONS if daemon.name == "nginx")
OMS = next(daemon for daemon in DAEMONS if daemon.name == "omsagent")


def file(owner: Owner | None, **more: str) -> CertificateFile:
    return CertificateFile(Configured("/a.pem", **more), A, NGINX, owner)  # type: ignore[arg-type]


def test_port_is_asked_several_times_by_name_and_in_its_own_way(tmp_path: Path) -> None:
    """Its word outranks the process's, so that the process is not asked."""
    shown = port(25, MASTER, everybody=A)
    shown.port = replace(shown.port, starttls="smtp")
    asked = arguments_for(Use(file(MASTER, key="/a.key"), shown, "a.example"), Root(tmp_path))
    assert (asked.path, asked.key, asked.host, asked.port) == ("/a.pem", "/a.key", "127.0.0.1", 25)
    assert (asked.server_name, asked.starttls) == ("a.example", "smtp")
    assert asked.handshakes > 1
    assert (asked.unit, asked.pid_file, asked.cmdline) == (None, None, None)


def test_process_is_asked_where_no_port_shows_the_file(tmp_path: Path) -> None:
    """By its configuration's pid file, else by its unit if systemd is there, else by its name."""
    root = Root(tmp_path)

    def asked(each: CertificateFile) -> tuple[str | None, str | None, str | None]:
        found = arguments_for(Use(each, None), root)
        return found.pid_file, found.unit, found.cmdline

    assert asked(file(MASTER, pid_file="/run/x.pid")) == ("/run/x.pid", None, None)
    assert asked(file(MASTER)) == (None, None, MASTER.command_line)
    systemd(tmp_path)
    assert asked(file(MASTER)) == (None, "nginx.service", None)
    assert asked(file(replace(MASTER, unit=""))) == (None, None, MASTER.command_line)
    assert asked(file(None)) == (None, None, None)
    assert asked(file(replace(MASTER, unit="", command_line=""))) == (None, None, None)


def test_command_line_with_the_roots_path_is_found_again_below_it(tmp_path: Path) -> None:
    """One that begins with another path can't be named, and nobody is taken for it."""
    root = Root(tmp_path)
    inside = replace(MASTER, unit="", command_line=f"{tmp_path}/usr/sbin/nginx -g x")
    outside = replace(MASTER, unit="", command_line="/usr/bin/python3 x")
    assert arguments_for(Use(file(inside), None), root).cmdline == "/usr/sbin/nginx -g x"
    assert arguments_for(Use(file(outside), None), root).cmdline is None
    assert arguments_for(Use(file(outside), None), Root()).cmdline == "/usr/bin/python3 x"


def test_only_the_oms_agent_says_that_its_certificate_is_made_on_the_host(tmp_path: Path) -> None:
    own = CertificateFile(Configured("/a.pem"), A, OMS)
    assert arguments_for(Use(own, None), Root(tmp_path)).made_here is True
    assert arguments_for(Use(file(None), None), Root(tmp_path)).made_here is None


def test_key_of_another_certificate_is_seen(tmp_path: Path) -> None:
    put_pair(tmp_path, "a")
    put_pair(tmp_path, "b")
    lay_out(tmp_path, {"/etc/nginx/nginx.conf": SITE % ("a", "b")})
    assert by_path(told(tmp_path))["/etc/nginx/a.pem"].verdict is CertificateVerdict.KEY_MISMATCH


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_users_of_one_file_the_worse_verdict_counts(turned: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """One daemon knows of a key that does not fit, the other of none."""
    path = put_pair(tmp_path, "a")
    put_pair(tmp_path, "b")
    where = f"/{path.relative_to(tmp_path)}"
    uses = [
        Use(CertificateFile(Configured(where, key=key), A, NGINX), None)
        for key in ("/etc/nginx/b.key", "")
    ]
    found = tuple(Found(use) for use in (reversed(uses) if turned else uses))
    [fact] = judge_all(found, Root(tmp_path), boot_clock() + 5).facts
    assert fact.verdict is CertificateVerdict.KEY_MISMATCH


def test_verdicts_are_worse_the_later_the_contract_names_them() -> None:
    verdicts = list(CertificateVerdict)
    assert sorted(verdicts, key=severity) == verdicts
    assert severity(CertificateVerdict.FRESH) == 0


def test_socket_is_that_of_the_oldest_process_but_not_of_init() -> None:
    """Systemd holds the sockets that it hands to services."""
    init, worker = Owner(0, 1, "systemd", "", "init"), replace(MASTER, start_ticks=7, pid=8)
    master = replace(MASTER, pid=7)
    assert _closer(worker, _closer(master, None)) == master
    assert _closer(master, worker) == master
    assert _closer(init, worker) == worker
    assert _closer(worker, init) == worker
