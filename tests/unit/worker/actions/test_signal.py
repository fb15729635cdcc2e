"""The action signal: to the one process that was meant, or to nobody."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from contract.action import Signal
from tests.unit.worker.children import child, children
from tests.waiting import eventually
from worker import proc
from worker.actions import signal
from worker.actions.action import ActionResult, Context
from worker.actions.signal import send_signal
from worker.observations.process import find
from worker.root import Root


def act(root: Path, **arguments: object) -> ActionResult:
    signal = Signal(**arguments)  # type: ignore[arg-type]
    return send_signal(signal, Context(Root(root), timedelta(seconds=5)))


@contextmanager
def heeding(root: Path, name: str = "HUP") -> Iterator[int]:
    """Run a process that notes a signal in the file `heard`, and whose pid is in the file `pid`."""
    text = (
        f"trap 'echo {name} >> {root}/heard' {name}; echo $$ > {root}/pid; while read _; do :; done"
    )
    # Tests that run under nohup ignore HUP, and no shell can trap what was ignored before it.
    argv = ["/usr/bin/env", f"--default-signal={name}", "/bin/sh", "-c", text]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as process:
        eventually(lambda: (root / "pid").exists() and (root / "pid").read_text().strip())
        yield process.pid


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2", "TERM", "WINCH"])
def test_send_reaches_the_process(tmp_path: Path, name: str) -> None:
    with heeding(tmp_path, name) as pid:
        result = act(tmp_path, signal=name, pid_file="/pid")
        heard = tmp_path / "heard"
        eventually(lambda: heard.exists() and heard.read_text() == f"{name}\n")
    assert (result.ok, result.summary) == (True, f"sent {name} to {pid}")


def test_send_to_nobody_tells_so(tmp_path: Path) -> None:
    result = act(tmp_path, signal="HUP", pid_file="/none")
    assert (result.ok, result.summary) == (False, "no process fits")


def test_send_to_several_only_when_all_are_meant(tmp_path: Path) -> None:
    token = f"tok-signal-{os.getpid()}"
    with children(3, token) as pids:
        eventually(lambda: all(token in proc.command_line(pid) for pid in pids))
        result = act(tmp_path, signal="KILL", cmdline=token)
        assert not result.ok
        assert result.summary == "3 processes fit, and without `all: true` only one may"
        assert all(stat and stat.is_alive for stat in map(proc.read_stat, pids))
        result = act(tmp_path, signal="KILL", cmdline=token, all=True)
        assert result.ok
        eventually(lambda: not any(s and s.is_alive for s in map(proc.read_stat, pids)))


def test_send_to_a_process_that_cannot_be_found_tells_why(tmp_path: Path) -> None:
    (tmp_path / "pid").mkdir()
    for arguments in ({"pid_file": "/pid"}, {"unit": "web"}, {}):
        result = act(tmp_path, signal="HUP", **arguments)
        assert not result.ok
        assert result.summary.startswith("can't find the process: ")


def test_send_never_to_the_executor_itself(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    result = act(tmp_path, signal="KILL", pid_file="/pid")
    assert (result.ok, result.summary) == (False, "the process is the executor itself")


def test_send_never_to_another_that_got_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and sending the process may end, and its number go to another."""
    with child("x") as pid:
        (tmp_path / "pid").write_text(str(pid))

        def stale(*arguments: object) -> list[proc.ProcessStat]:
            (stat,) = find(*arguments)  # type: ignore[arg-type]
            return [proc.ProcessStat(pid, stat.name, stat.state, 1, 1, stat.start_ticks - 1)]

        monkeypatch.setattr(signal, "find", stale)
        result = act(tmp_path, signal="KILL", pid_file="/pid")
        assert (result.ok, result.summary) == (False, "sent KILL to nobody: it ended just now")
        stat = proc.read_stat(pid)
        assert stat
        assert stat.is_alive


def test_send_to_one_that_is_gone_tells_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = proc.ProcessStat(4_194_303, "x", "S", 1, 1, 1)  # above any pid that is given out
    monkeypatch.setattr(signal, "find", lambda *_arguments: [gone])
    assert act(tmp_path, signal="HUP", pid_file="/pid").summary.startswith("sent HUP to nobody")
