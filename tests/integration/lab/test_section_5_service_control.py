"""Section 5, service_control: verbs, exit codes, and its inverted idea of running."""

import os
import signal

import pytest

from lab import process
from tests.integration.lab.conftest import Site
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ([], 75),
        (["status"], 72),
        (["help"], 0),
        (["functions"], 0),
        (["find-systemd-dir"], 67),
        (["restart"], 0),
        (["start", "unheard-of"], 1),
    ],
)
def test_verb_has_its_exit_code_on_a_host_without_workspaces(
    fresh: Site, verb: list[str], code: int
) -> None:
    """There is no `status`, and a restart of nothing at all is fine."""
    assert fresh.control(*verb).returncode == code


def test_is_running_is_inverted(joined: Site) -> None:
    """1 is running, 0 is not, and 1 again where nothing was ever onboarded."""
    assert joined.control("is-running", joined.id).returncode == 1
    assert joined.control("stop", joined.id).returncode == 0
    assert joined.control("is-running", joined.id).returncode == 0
    joined.files.identity.unlink()
    assert joined.control("is-running", joined.id).returncode == 1


def test_stop_of_a_stopped_agent_exits_0(joined: Site) -> None:
    pid = joined.host.pid()
    assert pid is not None
    assert joined.control("stop", joined.id).returncode == 0
    assert not process.alive(pid)
    assert not joined.files.pid_file.exists()
    assert joined.control("stop", joined.id).returncode == 0


def test_start_of_a_running_agent_changes_nothing(joined: Site) -> None:
    pid = joined.host.pid()
    assert joined.control("start", joined.id).returncode == 0
    assert joined.host.pid() == pid


def test_stop_kills_what_ignores_sigterm(fresh: Site) -> None:
    fresh.host.configure(agent="stubborn", pace=0.05)
    fresh.host.onboard(fresh.id, fresh.key)
    pid = fresh.host.pid()
    assert pid is not None
    assert fresh.control("stop", fresh.id).returncode == 0
    assert not process.alive(pid)


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_reload_is_a_restart(joined: Site, verb: str) -> None:
    pid = joined.host.pid()
    assert joined.control(verb, joined.id).returncode == 0
    assert joined.host.pid() not in (None, pid)


def test_restart_heals_a_lost_unit_and_symlink(joined: Site) -> None:
    unit = joined.host.root / f"etc/init.d/omsagent-{joined.id}"
    program = joined.host.places.program / f"bin/omsagent-{joined.id}"
    for path in (unit, program, joined.files.registered_marker):
        path.unlink()
    assert joined.control("restart", joined.id).returncode == 0
    assert unit.exists()
    assert program.is_symlink()
    assert joined.files.registered_marker.exists()


def test_disable_stops_and_removes_unit_and_marker(joined: Site) -> None:
    assert joined.control("disable", joined.id).returncode == 0
    assert joined.host.pid() is None
    assert not (joined.host.root / f"etc/init.d/omsagent-{joined.id}").exists()
    assert not joined.files.registered_marker.exists()
    assert "Saved(" in joined.admin("-l").stdout
    assert joined.control("enable", joined.id).returncode == 0
    assert joined.files.registered_marker.exists()


def test_all_workspaces_are_meant_without_one(joined: Site) -> None:
    """Every UUID directory and scom, never LAD; the exit code is the number of failures."""
    second = joined.host.cloud.workspace()
    joined.host.onboard(second.id, second.key, second=True)
    before = {joined.host.pid(joined.id), joined.host.pid(second.id)}
    joined.host.add_neighbour("scom")
    joined.host.add_neighbour("LAD")
    done = joined.control("restart")
    assert done.returncode == 1
    assert "on workspace scom" in done.stderr
    assert "LAD" not in done.stderr
    after = {joined.host.pid(joined.id), joined.host.pid(second.id)}
    assert None not in after
    assert not after & before


def test_missing_identity_file_fails_a_restart(joined: Site) -> None:
    joined.files.identity.rename(joined.files.identity.with_suffix(".away"))
    assert joined.control("restart", joined.id).returncode == 1


def test_find_systemd_dir_tells_where_units_are(fresh: Site) -> None:
    fresh.host.configure(manager="systemd")
    done = fresh.control("find-systemd-dir")
    assert (done.returncode, done.stdout) == (0, "/usr/lib/systemd/system\n")


def test_start_of_an_agent_that_is_held_exits_69(joined: Site) -> None:
    """A process in state T is neither running nor gone."""
    pid = joined.host.pid() or 0
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: process.state(pid) == "T", what="a stopped process")
    assert joined.control("start", joined.id).returncode == 69
    os.kill(pid, signal.SIGCONT)
