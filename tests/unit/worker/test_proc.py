"""Reading /proc: exact whatever a process calls itself."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.worker.children import child
from tests.waiting import eventually
from worker import proc

_REST = "S 77 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 98765 100 200"


@given(st.binary(max_size=64))
def test_parse_stat_any_name_keeps_the_fields_apart(name: bytes) -> None:
    """A name may hold spaces, parentheses, newlines and bytes that are no text."""
    stat = proc.parse_stat(b"42 (" + name + b") " + _REST.encode() + b"\n")
    assert os.fsencode(stat.name) == name
    assert (stat.pid, stat.state, stat.parent, stat.threads) == (42, "S", 77, 3)
    assert stat.start_ticks == 98765


def test_read_stat_of_a_name_with_parentheses_finds_the_parent() -> None:
    """The kernel itself writes such a line for a process that renamed itself."""
    pid = os.fork()
    if pid == 0:
        Path("/proc/self/comm").write_text(") Z 1 (x")
        os.kill(os.getpid(), 19)  # SIGSTOP: stay as you are
        os._exit(0)
    try:
        stat = eventually(lambda: [s for s in proc.processes() if (s.pid, s.state) == (pid, "T")])[
            0
        ]
        assert stat.name == ") Z 1 (x"
        assert stat.parent == os.getpid()
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_read_stat_of_nobody_is_none() -> None:
    assert proc.read_stat(2**31) is None
    assert proc.command_line(2**31) == ""
    assert proc.environment(2**31) == [b""]
    assert proc.effective_user(2**31) is None


def test_after_boot_of_a_new_process_is_now() -> None:
    before = datetime.now(UTC)
    with child("x") as pid:
        stat = proc.read_stat(pid)
    assert stat is not None
    started = proc.boot_moment() + proc.after_boot(stat.start_ticks)
    assert abs(started - before) < timedelta(seconds=1)


def test_command_line_of_a_process_is_its_arguments() -> None:
    with child("a b", "c") as pid:
        eventually(lambda: proc.command_line(pid).endswith(" a b c"))
        assert proc.effective_user(pid) == os.geteuid()
