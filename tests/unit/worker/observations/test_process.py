"""The observation process, on real ones: the right process or none, never another."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.probe import Process
from tests.unit.worker.children import child, children, running_script, script
from tests.unit.worker.privilege import forbidden
from tests.waiting import eventually
from worker import proc
from worker.observations.observation import Fields, ObservationError
from worker.observations.process import observe_process
from worker.root import Root
from worker.systemd import SystemdError

GONE = {"running": False}


def look(root: Path | str = "/", **arguments: str) -> Fields:
    return observe_process(Process(**arguments), Root(Path(root)))


@pytest.fixture
def token(request: pytest.FixtureRequest) -> str:
    """A word that stands in no other process's command line."""
    return f"tok-{os.getpid()}-{abs(hash(request.node.name))}"


def test_observe_a_pid_file_gives_every_field(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with child("x") as pid:
        (tmp_path / "pid").write_text(f"{pid}\n")
        fields = look(tmp_path, pid_file="/pid")
        again = look(tmp_path, pid_file="/pid")
    started_at = fields["started_at"]
    assert isinstance(started_at, datetime)
    assert abs(started_at - before) < timedelta(seconds=2)
    ticks = fields["start_ticks"]
    assert fields["identity"] == f"{proc.boot_id()}:{pid}:{ticks}" == again["identity"]
    assert (fields["pid"], fields["count"], fields["running"]) == (pid, 1, True)
    assert fields["user"] == Root().user_name(os.geteuid())


def test_observe_a_pid_file_without_its_process_is_not_running(tmp_path: Path) -> None:
    assert look(tmp_path, pid_file="/none") == GONE
    for content in ("", "\n", "x", "-1", "0", "99999999999999999999", "4194305"):
        (tmp_path / "pid").write_text(content)
        assert look(tmp_path, pid_file="/pid") == GONE


def test_observe_a_zombie_is_not_running(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        (tmp_path / "pid").write_text(str(process.pid))
        eventually(lambda: (s := proc.read_stat(process.pid)) and s.state == "Z")
        assert look(tmp_path, pid_file="/pid") == GONE


def test_observe_a_pid_used_again_is_not_running(tmp_path: Path) -> None:
    """Who started after the pid file was written did not write it."""
    file = tmp_path / "pid"
    with child("x") as pid:
        file.write_text(str(pid))
        long_ago = datetime.now(UTC) - timedelta(seconds=10)
        os.utime(file, (long_ago.timestamp(), long_ago.timestamp()))
        assert look(tmp_path, pid_file="/pid") == GONE


def test_observe_a_pid_of_another_program_is_not_running(tmp_path: Path, token: str) -> None:
    with child("x") as pid:
        (tmp_path / "pid").write_text(str(pid))
        assert look(tmp_path, pid_file="/pid", cmdline=token) == GONE


def test_observe_a_wrong_pid_file_falls_back_to_the_command_line(
    tmp_path: Path, token: str
) -> None:
    (tmp_path / "pid").write_text("1")
    with child(token) as pid:
        eventually(lambda: look(cmdline=token)["running"])
        assert look(tmp_path, pid_file="/pid", cmdline=token)["pid"] == pid
        assert look(tmp_path, pid_file="/none", cmdline=token)["pid"] == pid
    assert look(tmp_path, pid_file="/none", cmdline=token) == GONE


def test_observe_a_command_line_gives_the_oldest_and_the_count(token: str) -> None:
    with children(3, token) as pids:
        eventually(lambda: look(cmdline=token).get("count") == 3)
        ticks = [stat.start_ticks for pid in pids if (stat := proc.read_stat(pid))]
        fields = look(cmdline=token)
    assert fields["start_ticks"] == min(ticks)
    assert fields["pid"] in pids


def test_observe_a_command_line_never_finds_ourselves() -> None:
    """Our own command line may hold the very text that is looked for."""
    own = proc.command_line(os.getpid())
    fields = look(cmdline=own)
    assert fields.get("pid") != os.getpid()


def test_observe_a_path_in_a_command_line_gets_the_root(tmp_path: Path) -> None:
    """Of two hosts on one machine, each finds its own process only."""
    one, two = tmp_path / "one", tmp_path / "two"
    two.mkdir()
    with running_script(one / "opt/agent") as pid:
        eventually(lambda: look(one, cmdline="/opt/agent")["running"])
        assert look(one, cmdline="/opt/agent")["pid"] == pid
        assert look(two, cmdline="/opt/agent") == GONE


def test_observe_a_user_must_fit(tmp_path: Path) -> None:
    us = Root().user_name(os.geteuid())
    other = "daemon" if us != "daemon" else "root"
    with child("x") as pid:
        (tmp_path / "pid").write_text(str(pid))
        file = str(tmp_path / "pid")
        assert look(pid_file=file, user=us)["pid"] == pid
        assert look(pid_file=file, user=other) == GONE
        assert look(tmp_path, pid_file="/pid", user="omsagent")["pid"] == pid
        with pytest.raises(ObservationError, match="no user named 'nobody-at-all'"):
            look(pid_file=file, user="nobody-at-all")


def test_observe_a_unit_asks_systemd_for_its_process(tmp_path: Path) -> None:
    with child("x") as pid:
        tool = script(
            tmp_path / "usr/bin/systemctl",
            f'test "$4" = nginx && echo MainPID={pid} || echo MainPID=0',
        )
        assert look(tmp_path, unit="nginx")["pid"] == pid
        assert look(tmp_path, unit="nginx", cmdline="no such text") == GONE
        assert look(tmp_path, unit="other") == GONE
    script(tool, "echo no systemd here >&2; exit 1")
    with pytest.raises(SystemdError, match="can't ask systemd for nginx: no systemd here"):
        look(tmp_path, unit="nginx")


def test_observe_a_unit_without_systemd_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(SystemdError, match="no such program"):
        look(tmp_path, unit="nginx")


def test_observe_nothing_in_particular_is_unknown() -> None:
    with pytest.raises(ObservationError, match="needs a pid_file"):
        look()


def test_observe_a_pid_file_that_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "pid").write_text("1")
    with forbidden(closed), pytest.raises(ObservationError, match="permission denied"):
        look(tmp_path, pid_file="/closed/pid")


def test_observe_a_fifo_as_pid_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    with pytest.raises(ObservationError, match="no regular file"):
        look(tmp_path, pid_file="/pid")


def test_observe_by_command_line_while_processes_come_and_go_never_fails(token: str) -> None:
    """Whoever vanishes in mid-scan was not there."""
    churn = "while :; do /bin/true; done"
    with subprocess.Popen(["/bin/sh", "-c", churn]) as process:
        try:
            assert [look(cmdline=token) for _ in range(30)] == [GONE] * 30
        finally:
            process.kill()
