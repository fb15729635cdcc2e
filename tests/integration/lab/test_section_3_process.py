"""Section 3, the process, and which one it is."""

import os

from lab import process
from tests.integration.lab.conftest import Site


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
