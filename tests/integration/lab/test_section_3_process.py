"""Section 3, the process, and which one it is."""

import os
from pathlib import Path

import pytest

from contract.probe import Process
from lab import process
from tests.integration.lab.conftest import Site
from worker.observations.observation import Fields
from worker.observations.process import observe_process
from worker.root import Root


def observed(site: Site) -> Fields:
    """What the runbooks' observation of the process says."""
    path = f"/var/opt/microsoft/omsagent/{site.id}/run/omsagent.pid"
    wanted = Process(pid_file=path, cmdline=path, user="omsagent")
    return observe_process(wanted, Root(site.host.root))


def test_daemon_shows_the_real_path_of_its_pid_file(joined: Site) -> None:
    """Command line and comm are the ones of a SysV host."""
    pid = joined.host.pid()
    assert pid is not None
    program = joined.host.places.program
    shown = process.command_line(pid)
    assert shown == (
        f"{program}/ruby/bin/ruby {program}/bin/omsagent-{joined.id} -d {joined.files.pid_file} "
        f"--no-supervisor -o {joined.files.log} -c {joined.files.daemon_config}"
    )


def test_is_running_believes_any_process_with_the_pid(joined: Site) -> None:
    """Upstream's own check: pid reuse means a false "running", and start does nothing."""
    joined.control("stop", joined.id)
    joined.files.pid_file.write_text(f"{os.getpid()}\n")
    assert joined.control("is-running", joined.id).returncode == 1
    assert joined.control("start", joined.id).returncode == 0
    assert joined.host.pid() is None
    joined.files.pid_file.unlink()


def test_daemons_comm_has_the_beginning_of_the_workspace(joined: Site) -> None:
    comm = Path(f"/proc/{joined.host.pid()}/comm").read_text().strip()
    assert comm == f"omsagent-{joined.id[:6]}"


@pytest.mark.parametrize(("manager", "program"), [("sysv", "omsagent-{}"), ("systemd", "omsagent")])
def test_daemon_is_found_by_its_pid_file_under_either_manager(
    fresh: Site, manager: str, program: str
) -> None:
    """Under systemd its workspace stands in the paths alone, not in the program's name."""
    fresh.host.configure(manager=manager)
    fresh.host.onboard(fresh.id, fresh.key)
    words = process.command_line(fresh.host.pid() or 0).split()
    assert Path(words[1]).name == program.format(fresh.id)
    assert observed(fresh)["pid"] == fresh.host.pid()


def test_process_that_only_has_the_pid_is_not_taken_for_the_daemon(joined: Site) -> None:
    """Unlike upstream's own check, which would call this running."""
    joined.control("stop", joined.id)
    joined.files.pid_file.write_text(f"{os.getpid()}\n")
    assert joined.control("is-running", joined.id).returncode == 1
    assert observed(joined)["running"] is False
    joined.files.pid_file.unlink()


def test_daemon_without_its_pid_file_is_found_all_the_same(joined: Site) -> None:
    pid = joined.host.pid()
    joined.files.pid_file.unlink()
    assert observed(joined)["pid"] == pid
